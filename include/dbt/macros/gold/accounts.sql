{#- The domain of a mail address, in lower case; NULL where there is no address. -#}
{% macro mail_domain(email) -%}
    nullif(lower(trim(case when position('@' in {{ email }}) > 0
        then substr({{ email }}, position('@' in {{ email }}) + 1) end)), '')
{%- endmacro %}
