{#- No warehouse is asked anything: whether a table is there already is a variable. -#}
{% macro is_incremental() -%}
    {{ return(var('pretend_incremental', false) and model.config.materialized == 'incremental') }}
{%- endmacro %}


{#- Every table is there. -#}
{% macro load_relation(relation) -%}
    {{ return(relation) }}
{%- endmacro %}
