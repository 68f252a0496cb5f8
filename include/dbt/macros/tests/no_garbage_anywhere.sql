{#- No text column of a Silver model holds a text that stands for nothing: blanks or the empty-set sign. -#}
{% test no_garbage_anywhere(model) %}

{%- set texts = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == model.identifier -%}
        {%- for column in listed_columns(node.raw_code)
            if column.cast in ['text', 'json_text', 'json_first', 'custom_field', 'thread_field'] -%}
            {%- do texts.append(column.name) -%}
        {%- endfor -%}
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
