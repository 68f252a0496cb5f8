{#- No text column of the model holds a text that stands for nothing: blanks or the empty-set sign. -#}
{% test no_garbage_anywhere(model) %}

{%- set texts = [] -%}
{%- if execute -%}
    {%- for column in adapter.get_columns_in_relation(model) if column.is_string() -%}
        {%- do texts.append(column.name) -%}
    {%- endfor -%}
{%- endif %}

select *
from {{ model }}
where
    false
    {%- for column in texts %}
    or trim({{ column }}) in ('', '∅')
    {%- endfor %}

{% endtest %}
