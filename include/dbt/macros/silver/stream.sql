{#-
    What the source file declares about a Bronze table, with the table itself and its coverage. The declaration is the
    only place that knows a stream's key, version stamp and coverage; Silver is generated from it.
-#}
{% macro stream_facts(source_name, table) -%}
    {{ return({
        'name': table | lower,
        'bronze': source(source_name, table),
        'coverage': source(source_name, 'INGEST_COVERAGE'),
        'meta': declared_meta(source_name, table) or {},
    }) }}
{%- endmacro %}


{#- The meta of a declared Bronze table. A unit test has no graph to read it from and gives it as an override. -#}
{% macro declared_meta(source_name, table) -%}
    {%- if execute -%}
        {%- for declared in graph.sources.values() if declared.source_name == source_name and declared.name == table -%}
            {%- set meta = declared.config.meta -%}
            {%- if meta.input_kind != 'record_set' -%}
                {{ exceptions.raise_compiler_error(
                    model.name ~ " reads " ~ source_name ~ "." ~ table ~ " as a record set, but the source declares "
                    ~ "input_kind " ~ meta.input_kind ~ "; declare it a record_set or build the model from events"
                ) }}
            {%- endif -%}
            {{ return(meta) }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{#- The same for the hooks of a Silver model, whose first source is its stream; they also read the batches. -#}
{% macro stream_of_model() -%}
    {%- if not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set declared = model.sources | first -%}
    {%- set stream = stream_facts(declared[0], declared[1]) -%}
    {%- do stream.update({'batches': source(declared[0], 'INGEST_BATCHES')}) -%}
    {{ return(stream) }}
{%- endmacro %}


{#- The table beside a Silver model in which its batches (or keys) are kept. -#}
{% macro bookkeeping(name, of=none) -%}
    {%- set place = of or this -%}
    {{ return(api.Relation.create(database=place.database, schema=place.schema, identifier=name, type='table')) }}
{%- endmacro %}
