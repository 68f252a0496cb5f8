{#- The domain of a mail address, in lower case; NULL where there is no address. -#}
{% macro mail_domain(email) -%}
    nullif(lower(trim(case when position('@' in {{ email }}) > 0
        then substr({{ email }}, position('@' in {{ email }}) + 1) end)), '')
{%- endmacro %}


{#- The domain a web address leads to, in lower case and without www. -#}
{% macro web_domain(address) -%}
    nullif(regexp_replace(regexp_replace(lower(trim({{ address }})), '^(https?://)?(www[.])?', ''), '[/:?#].*$', ''), '')
{%- endmacro %}
