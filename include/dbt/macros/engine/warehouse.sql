{#-
    A table that is built anew reads everything ever loaded; an increment reads a night. On Snowflake the one may have a
    larger warehouse than the other: SNOWFLAKE_WAREHOUSE_LARGE, which is used for just such a model and given back after
    it. Where it is not set, and on an engine that has no warehouses, nothing is sent.
-#}
{% macro take_large_warehouse() -%}
    {{ return(adapter.dispatch('take_large_warehouse')()) }}
{%- endmacro %}

{% macro default__take_large_warehouse() -%} {%- endmacro %}

{% macro snowflake__take_large_warehouse() -%}
    {%- if env_var('SNOWFLAKE_WAREHOUSE_LARGE', '') and not is_incremental() -%}
    use warehouse {{ env_var('SNOWFLAKE_WAREHOUSE_LARGE') }}
    {%- endif -%}
{%- endmacro %}


{% macro give_large_warehouse_back() -%}
    {{ return(adapter.dispatch('give_large_warehouse_back')()) }}
{%- endmacro %}

{% macro default__give_large_warehouse_back() -%} {%- endmacro %}

{% macro snowflake__give_large_warehouse_back() -%}
    {%- if env_var('SNOWFLAKE_WAREHOUSE_LARGE', '') and not is_incremental() -%}
    use warehouse {{ target.warehouse }}
    {%- endif -%}
{%- endmacro %}
