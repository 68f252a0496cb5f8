{#- The names of the tables and views that lie in a schema. Both adapters list them with a column called name. -#}
{% macro names_in(schema) -%}
    {%- set names = [] -%}
    {%- for row in list_relations_without_caching(schema) -%}
        {%- do names.append(row['name']) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}
