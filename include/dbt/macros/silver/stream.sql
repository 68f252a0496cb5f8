{#-
    What the source file declares about a Bronze table, with the table itself and its coverage. The declaration is the
    only place that knows a stream's key, version stamp and coverage; Silver is generated from it.
-#}
{% macro stream_facts(source_name, table) -%}
    {{ return({
        'name': table | lower,
        'bronze': bronze(source_name, table),
        'coverage': bronze(source_name, 'INGEST_COVERAGE'),
        'meta': declared_meta(source_name, table) or {},
    }) }}
{%- endmacro %}


{#- The meta of a declared Bronze table. A unit test has no graph to read it from and gives it as an override. -#}
{% macro declared_meta(source_name, table) -%}
    {%- if execute -%}
        {{ return(declared_source(source_name, table).config.meta) }}
    {%- endif -%}
{%- endmacro %}

{% macro declared_source(source_name, table) -%}
    {%- for declared in graph.sources.values() if declared.source_name == source_name and declared.name == table -%}
        {{ return(declared) }}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error("no source is called " ~ source_name ~ "." ~ table) }}
{%- endmacro %}


{#- A stream is built the way its kind is: records have a current state, events are counted. -#}
{% macro require_kind(stream, kind) -%}
    {%- if execute and stream.meta.input_kind != kind -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ " reads " ~ stream.name ~ " as " ~ kind ~ ", but the source declares input_kind "
            ~ stream.meta.input_kind ~ "; records are read by current_rows, events by event_rows"
        ) }}
    {%- endif -%}
{%- endmacro %}


{#-
    A Bronze table. One that was never loaded is read as the empty table its declaration describes, with a warning: a
    client may not have the system, or the stream's first load is yet to come.
-#}
{% macro bronze(source_name, table) -%}
    {%- set relation = source(source_name, table) -%}
    {%- if not execute or is_loaded(relation) -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- if model.resource_type == 'model' -%}
        {%- do exceptions.warn(relation ~ " was never loaded; " ~ model.name ~ " knows nothing of it") -%}
    {%- endif -%}
    {%- set columns = [] -%}
    {%- for column in declared_source(source_name, table).columns.values() -%}
        {%- do columns.append("cast(null as " ~ column.data_type ~ ') as "' ~ column.name ~ '"') -%}
    {%- endfor -%}
    {{ return("(select " ~ columns | join(", ") ~ " where false)") }}
{%- endmacro %}

{#-
    Makes dbt know what lies in Bronze, before any thread starts. dbt lists by itself only the schemas it builds in; any
    other when it is first asked for, entering table by table, and a thread that asks meanwhile is told of the first few.
-#}
{% macro know_bronze() -%}
    {%- set listed = [] -%}
    {%- if execute -%}
        {%- for declared in graph.sources.values() if (declared.database, declared.schema) not in listed -%}
            {%- do listed.append((declared.database, declared.schema)) -%}
            {%- do adapter.get_relation(declared.database, declared.schema, declared.identifier) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- Whether a table is there. In a unit test its rows are given with the test. -#}
{% macro is_loaded(relation) -%}
    {{ return(model.resource_type == 'unit_test' or load_relation(relation) is not none) }}
{%- endmacro %}


{#- The same for the hooks of a Silver model, whose first source is its stream; they also read the batches. -#}
{% macro stream_of_model() -%}
    {%- if not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set declared = model.sources | first -%}
    {%- set stream = stream_facts(declared[0], declared[1]) -%}
    {%- do stream.update({'batches': bronze(declared[0], 'INGEST_BATCHES')}) -%}
    {{ return(stream) }}
{%- endmacro %}


{#- The table beside a Silver model in which its batches (or keys) are kept. -#}
{% macro bookkeeping(name, of=none) -%}
    {%- set place = of or this -%}
    {{ return(api.Relation.create(database=place.database, schema=place.schema, identifier=name, type='table')) }}
{%- endmacro %}
