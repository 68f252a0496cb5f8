{#-
    Warns of what lies in the schemas this project builds and no node of it makes: the tables and views that a renamed or
    deleted model left behind. dbt never drops them; drop them by hand once nobody reads them.

        dbt run-operation stale_relations
-#}
{% macro stale_relations() -%}
    {%- set built, schemas = ['APPLIED_BATCHES', 'APPLIED_KEYS'], {} -%}
    {%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed') -%}
        {%- do built.append(node.alias | upper) -%}
        {%- set place = api.Relation.create(database=node.database, schema=node.schema).without_identifier() -%}
        {%- do schemas.update({node.database ~ '.' ~ node.schema: place}) -%}
    {%- endfor -%}
    {%- for name, place in schemas.items() -%}
        {%- for row in relations_in(place) if row['name'] | upper not in built -%}
            {%- do exceptions.warn("stale: " ~ name ~ "." ~ row['name'] ~ " is made by no model") -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
