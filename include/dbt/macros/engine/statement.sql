{#-
    dbt's own, and how many rows the statement of a model wrote: DuckDB answers that, but its adapter does not ask. As dbt
    knows Python models by who calls this macro, there can be none.
-#}
{% macro statement(name=none, fetch_result=false, auto_begin=true, language='sql') %}
    {% set count_rows = execute and name == 'main' and not fetch_result and target.type == 'duckdb' %}
    {{ dbt.statement(name, fetch_result or count_rows, auto_begin, language, caller=caller) }}
    {% if count_rows %}
        {% set counted = load_result(name).table %}
        {% if counted.column_names == ('Count',) and counted.rows | length == 1 %}
            {{ store_raw_result(name, message='OK', code='', rows_affected=counted.rows[0][0] | int) }}
        {% endif %}
    {% endif %}
{% endmacro %}
