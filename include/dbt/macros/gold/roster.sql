{#- How long somebody had worked here on a day, in the steps that performance is compared by. -#}
{% macro tenure_bucket(hire_date, day) -%}
    case
        when {{ hire_date }} is null or {{ day }} is null then null
        when {{ days_apart(hire_date, day) }} < 0 then 'before hire'
        when {{ days_apart(hire_date, day) }} < 30 then '0-29 days'
        when {{ days_apart(hire_date, day) }} < 90 then '30-89 days'
        when {{ days_apart(hire_date, day) }} < 180 then '90-179 days'
        when {{ days_apart(hire_date, day) }} < 365 then '180-364 days'
        else '365 days or more'
    end
{%- endmacro %}
