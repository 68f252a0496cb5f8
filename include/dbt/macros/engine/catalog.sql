{#- What lies in a schema, with a name each, whoever made it. -#}
{% macro relations_in(schema) -%}
    {{ return(list_relations_without_caching(schema)) }}
{%- endmacro %}
