{#- The list of a database's relations. DuckDB has one for all attached databases, Snowflake one in each. -#}
{% macro relations_of(database) -%}
    {{ return(adapter.dispatch('relations_of')(database)) }}
{%- endmacro %}

{% macro default__relations_of(database) -%}
    {{ database }}.information_schema.tables
{%- endmacro %}

{% macro duckdb__relations_of(database) -%}
    information_schema.tables
{%- endmacro %}
