{#-
    What the source file declares about a Bronze table, with the relations of its ledger. The declaration is the only
    place that knows a stream's key, version stamp and coverage; Silver is generated from it.
-#}
{% macro stream_facts(source_name, table) -%}
    {%- set facts = {
        'name': table | lower,
        'bronze': source(source_name, table),
        'batches': source(source_name, 'INGEST_BATCHES'),
        'coverage': source(source_name, 'INGEST_COVERAGE'),
        'meta': {},
    } -%}
    {%- if execute -%}
        {%- for declared in graph.sources.values() if declared.source_name == source_name and declared.name == table -%}
            {%- do facts.update({'meta': declared.config.meta}) -%}
        {%- endfor -%}
        {%- if facts.meta.input_kind != 'record_set' -%}
            {{ exceptions.raise_compiler_error(
                model.name ~ " reads " ~ source_name ~ "." ~ table ~ " as a record set, but the source declares input_kind "
                ~ facts.meta.input_kind ~ "; declare it a record_set or build the model from events"
            ) }}
        {%- endif -%}
    {%- endif -%}
    {{ return(facts) }}
{%- endmacro %}


{#- The facts of the stream a Silver model was built from, for its hooks: the model's first source is its stream. -#}
{% macro stream_of_model() -%}
    {%- if not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set declared = model.sources | first -%}
    {{ return(stream_facts(declared[0], declared[1])) }}
{%- endmacro %}


{#- The table beside a Silver model in which its batches (or keys) are kept. -#}
{% macro bookkeeping(name, of=none) -%}
    {%- set place = of or this -%}
    {{ return(api.Relation.create(database=place.database, schema=place.schema, identifier=name, type='table')) }}
{%- endmacro %}
