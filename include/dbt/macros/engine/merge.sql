{#-
    One merge for both engines: matched rows are written only where the model's merge_update_condition (in its meta)
    holds, and inserted values are qualified. dbt-snowflake's own merge does neither, dbt-duckdb's reads the condition
    from a config key that dbt-snowflake does not know.
-#}
{% macro duckdb__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {{ return(merge_changed_rows(target, source, unique_key, dest_columns, incremental_predicates)) }}
{%- endmacro %}

{% macro snowflake__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {{ return(merge_changed_rows(target, source, unique_key, dest_columns, incremental_predicates)) }}
{%- endmacro %}

{% macro merge_changed_rows(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {%- set keys = [unique_key] if unique_key is string else unique_key -%}
    {%- set condition = config.get('meta', {}).get('merge_update_condition') -%}
    {%- set names = dest_columns | map(attribute='name') | list -%}

    merge into {{ target }} as DBT_INTERNAL_DEST
        using {{ source }} as DBT_INTERNAL_SOURCE
        on {% for key in keys -%}
            DBT_INTERNAL_SOURCE.{{ key }} = DBT_INTERNAL_DEST.{{ key }}{{ ' and ' if not loop.last }}
        {%- endfor %}
        {%- for predicate in incremental_predicates or [] %} and {{ predicate }}{% endfor %}
    when matched{% if condition %} and ({{ condition }}){% endif %} then update set
        {% for name in names -%}
            {{ name }} = DBT_INTERNAL_SOURCE.{{ name }}{{ ', ' if not loop.last }}
        {%- endfor %}
    when not matched then insert ({{ names | join(', ') }})
        values ({% for name in names %}DBT_INTERNAL_SOURCE.{{ name }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
