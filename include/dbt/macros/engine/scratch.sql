{#- The name of a table that lives as long as the connection that builds one model. -#}
{% macro scratch(purpose) -%}
    {{ return(adapter.dispatch('scratch')(purpose)) }}
{%- endmacro %}

{% macro duckdb__scratch(purpose) -%}
    {{ return(this.identifier ~ '__' ~ purpose) }}
{%- endmacro %}

{#- A session of Snowflake needs no current schema, so the name is given in full. -#}
{% macro snowflake__scratch(purpose) -%}
    {{ return(this.database ~ '.' ~ this.schema ~ '.' ~ this.identifier ~ '__' ~ purpose) }}
{%- endmacro %}
