{#- What lies in Silver and Gold that this project no longer builds: a renamed model leaves its old relation behind, and
    dropping it is a person's decision. Run by hand: make dbt ARGS="run-operation stale_relations". -#}
{% macro stale_relations() -%}
    {%- set wanted = ['APPLIED_BATCHES', 'APPLIED_KEYS'] -%}
    {%- set schemas = {} -%}
    {%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed') -%}
        {%- if node.config.materialized != 'ephemeral' -%}
            {%- do wanted.append((node.database ~ '.' ~ node.schema ~ '.' ~ (node.alias or node.name)) | upper) -%}
            {%- do schemas.update({(node.database, node.schema): true}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set stale = [] -%}
    {%- for database, schema in schemas -%}
        {%- set there -%}
            select table_name from {{ relations_of(database) }}
            where upper(table_catalog) = '{{ database | upper }}' and upper(table_schema) = '{{ schema | upper }}'
        {%- endset -%}
        {%- for row in run_query(there) -%}
            {%- set name = (database ~ '.' ~ schema ~ '.' ~ row[0]) | upper -%}
            {%- if name not in wanted and row[0] | upper not in wanted -%}
                {%- do stale.append(name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for name in stale | sort -%}
        {%- do log('stale: ' ~ name ~ ' is in the warehouse and no model builds it', info=true) -%}
    {%- endfor -%}
    {%- do log(stale | length ~ ' relations that no model builds', info=true) -%}
    {%- do return(stale | sort) -%}
{%- endmacro %}
