{#- One text key over the columns of a grain; NULLs count as a value of their own. -#}
{% macro surrogate_key(columns) -%}
    md5(
        {%- for column in columns %}
        coalesce(cast({{ column }} as varchar), '∅') {%- if not loop.last %} || '|' || {%- endif %}
        {%- endfor %}
    )
{%- endmacro %}


{#-
    The condition that a row of a Bronze table belongs to one of some keys, few of very many. DuckDB reads all columns of
    all rows to answer it, unless it is told where the rows are; that takes a quarter of the time. A table that was never
    loaded is no table, and its rows have no place.
-#}
{% macro has_one_of_keys(relation, keys) -%}
    {{ return(adapter.dispatch('has_one_of_keys')(relation, keys)) }}
{%- endmacro %}

{% macro duckdb__has_one_of_keys(relation, keys) -%}
    {%- set condition = "RECORD_KEY in (" ~ keys ~ ")" -%}
    {{ condition if relation is string else "rowid in (select rowid from " ~ relation ~ " where " ~ condition ~ ")" }}
{%- endmacro %}

{% macro snowflake__has_one_of_keys(relation, keys) -%}
    RECORD_KEY in ({{ keys }})
{%- endmacro %}
