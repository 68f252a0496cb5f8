{#-
    Values that were delivered and that Silver could make nothing of: the raw text is there, the typed column is NULL.
    Blanks and the empty-set sign are such values too. The columns and their casts are read from the text of the Silver
    models themselves, so there is no second list of them: a column is a line `cast('COLUMN', …) as NAME`.

    A row per value and delivered row. It belongs to its batch, and goes when the batch is loaded again without it.
-#}
{% macro cast_failures(source_name) -%}
    {%- set batches = bronze(source_name, 'INGEST_BATCHES') -%}
    {%- set checks = [] -%}
    {%- if execute -%}
        {%- for stream in streams_with_casts(source_name) -%}
            {%- do checks.append(cast_failures_of(stream, bronze(source_name, stream.table))) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not checks -%}
        {%- do checks.append(no_cast_failure(batches)) -%}
    {%- endif -%}
    {{ checks | join('\n    union\n    ') }}
{%- endmacro %}

{#- One pass over a stream: every row beside the name of every column, and of those the values that were lost. -#}
{% macro cast_failures_of(stream, delivered) -%}
    select
        '{{ stream.table | lower }}' as STREAM,
        COLUMN_NAME,
        RECORD_KEY as SOURCE_RECORD_KEY,
        case trim(VALUE_LOST) when '' then 'blank' when '∅' then 'empty set' else 'unreadable' end as FAILURE,
        substr(VALUE_LOST, 1, 200) as RAW_SAMPLE,
        DATE_TO_WAREHOUSE as READ_AT,
        SOURCE_FILE,
        BATCH_ID,
        PIPELINE_RUN_ID
    from (
        select
            delivered.RECORD_KEY,
            delivered.DATE_TO_WAREHOUSE,
            delivered.SOURCE_FILE,
            delivered.BATCH_ID,
            delivered.PIPELINE_RUN_ID,
            listed.COLUMN_NAME,
            case listed.COLUMN_NAME
                {%- for column in stream.columns %}
                when '{{ column.name }}' then case when {{ column.typed }} is null then {{ column.raw }} end
                {%- endfor %}
            end as VALUE_LOST
        from {{ delivered }} as delivered
        cross join (
            values {% for column in stream.columns %}('{{ column.name }}'){{ ', ' if not loop.last }}{% endfor %}
        ) as listed (COLUMN_NAME)
        {%- if is_incremental() %}
        where delivered.BATCH_ID in (select BATCH_ID from {{ scratch('pending') }})
        {%- endif %}
    ) as looked_at
    where VALUE_LOST is not null
{%- endmacro %}

{#- The shape of such rows, where there is no stream to look at. -#}
{% macro no_cast_failure(batches) -%}
    select
        {% for name in ['STREAM', 'COLUMN_NAME', 'SOURCE_RECORD_KEY', 'FAILURE', 'RAW_SAMPLE', 'READ_AT'] -%}
        cast(null as varchar) as {{ name }},
        {% endfor -%}
        cast(null as varchar) as SOURCE_FILE,
        BATCH_ID,
        PIPELINE_RUN_ID
    from {{ batches }}
    where false
{%- endmacro %}


{#- Every stream of a source with the columns its Silver model takes from it. -#}
{% macro streams_with_casts(source_name) -%}
    {%- set streams = [] -%}
    {%- for declared in graph.sources.values() if declared.source_name == source_name -%}
        {%- set silver = source_name.split('_')[0] ~ '_' ~ declared.name | lower -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == silver -%}
            {%- do streams.append({'table': declared.name, 'columns': listed_columns(node.raw_code)}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(streams | sort(attribute='table')) }}
{%- endmacro %}

{#- The columns that a Silver model's text lists: name, cast, and both the raw and the typed expression. -#}
{% macro listed_columns(text) -%}
    {%- set columns = [] -%}
    {%- set line = "[{][{][ \\n]*(\\w+)[(]([^{}]*)[)][ \\n]*[}][}] as (\\w+)" -%}
    {%- for cast, given, name in modules.re.findall(line, text) -%}
        {%- set arguments = fromyaml('[' ~ given ~ ']') -%}
        {%- do columns.append({
            'name': name,
            'cast': cast,
            'raw': raw_value(cast, arguments),
            'typed': context[cast](*arguments) | trim,
        }) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- What a cast is given: the column, or what is found in its JSON; a column that should be JSON and is not, as it is. -#}
{% macro raw_value(cast, arguments) -%}
    {%- set column = arguments[0] -%}
    {%- set broken = "case when " ~ json_document(column) ~ " is null then " ~ column ~ " end" -%}
    {%- if cast in ['json_text', 'json_timestamp', 'json_number', 'json_boolean'] -%}
        {{ return("coalesce(" ~ json_raw(column, arguments[1:]) | trim ~ ", " ~ broken ~ ")") }}
    {%- elif cast == 'json_first' -%}
        {%- set found = [] -%}
        {%- for member in arguments[1:] -%}
            {%- do found.append(json_raw(column, [member] if member is string else member) | trim) -%}
        {%- endfor -%}
        {{ return("coalesce(" ~ found | join(", ") ~ ", " ~ broken ~ ")") }}
    {%- elif cast in ['custom_field', 'thread_field'] -%}
        {{ return(broken) }}
    {%- endif -%}
    {{ return(column) }}
{%- endmacro %}


{#- Whether the model that is built is such a list, which depends on every batch of its client and keeps no records. -#}
{% macro keeps_failures() -%}
    {{ return(model.config.get('meta', {}).get('keeps') == 'failures') }}
{%- endmacro %}
