{#-
    Values that were delivered and that Silver could make nothing of: the raw text is there, the typed column is NULL.
    Blanks and the empty-set sign are such values too. The columns and their casts are read from the text of the Silver
    models themselves, so there is no second list of them: a column is a line `cast('COLUMN', …) as NAME`.

    A row per value and delivered row. It belongs to its batch, and goes when the batch is loaded again without it. The
    model of a client is this macro and nothing else.
-#}
{% macro cast_failures(source_name) -%}
    {%- set checks = [] -%}
    {%- if execute -%}
        {%- for stream in streams_with_casts(source_name) -%}
            {%- do checks.append(cast_failures_of(stream, bronze(source_name, stream.table))) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set batches = bronze(source_name, 'INGEST_BATCHES') -%}
    with failures as (

    {{ checks | join('\n    union all\n    ') or no_cast_failure(batches) }}

    ),

    final as (

        select
            -- strings
            STREAM,
            COLUMN_NAME,
            FAILURE,
            RAW_SAMPLE,

            -- timestamps
            {{ utc_timestamp('READ_AT') }} as DATE_TO_WAREHOUSE,

            -- record
            {{
                surrogate_key(['STREAM', 'COLUMN_NAME', 'SOURCE_RECORD_KEY', 'SOURCE_FILE', 'RAW_SAMPLE'])
            }} as RECORD_KEY,
            SOURCE_RECORD_KEY,
            SOURCE_FILE,
            BATCH_ID,
            PIPELINE_RUN_ID
        from failures
        -- a record that one page holds twice is one failure
        qualify row_number() over (
            partition by STREAM, COLUMN_NAME, SOURCE_RECORD_KEY, SOURCE_FILE, RAW_SAMPLE
            order by READ_AT
        ) = 1

    )

    select * from final
{%- endmacro %}

{#-
    One pass over a stream: rows beside the name of every column, and of those the values that were lost. The rows are
    picked before they are multiplied by the columns. In an increment they are those of changed batches, and no more is
    asked of them, because an engine that was left to choose read all of Bronze. In a full build they are those that lost
    anything: few do.
-#}
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
        from (
            select *
            from {{ delivered }}
            {%- if is_incremental() %}
            where BATCH_ID in (select BATCH_ID from {{ scratch('pending') }})
            {%- else %}
            where
                {{ loses_a_value(stream.columns) | indent(16) }}
            {%- endif %}
        ) as delivered
        cross join (
            values {% for column in stream.columns %}('{{ column.name }}'){{ ', ' if not loop.last }}{% endfor %}
        ) as listed (COLUMN_NAME)
    ) as looked_at
    where VALUE_LOST is not null
{%- endmacro %}

{#-
    Whether a delivered row loses a value in any of the columns. Most members of most documents are not there, so each is
    looked for first, and whether a document can be read is asked once for all of its members: each question reads the
    document from its beginning.
-#}
{% macro loses_a_value(columns) -%}
    {%- set losses = [] -%}
    {%- for document in columns | map(attribute='document') | select | unique -%}
        {%- do losses.append(document ~ ' is not null and ' ~ json_document(document) ~ ' is null') -%}
    {%- endfor -%}
    {%- for column in columns if column.given -%}
        {%- do losses.append(column.given ~ ' is not null and ' ~ column.typed ~ ' is null') -%}
    {%- endfor -%}
    ({{ losses | join(')\nor (') }})
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


{#- Every stream of a source (or one of them) with the columns its Silver model takes from it. -#}
{% macro streams_with_casts(source_name, table=none) -%}
    {%- set streams = [] -%}
    {%- for stream in modelled_streams(source_name) if table in (none, stream.table) -%}
        {%- do streams.append({'table': stream.table, 'columns': listed_columns(stream.model.raw_code)}) -%}
    {%- endfor -%}
    {{ return(streams) }}
{%- endmacro %}

{#- Every stream of a source with its Silver model, as the project knows it. -#}
{% macro modelled_streams(source_name) -%}
    {%- set streams = [] -%}
    {%- for declared in graph.sources.values() if declared.source_name == source_name -%}
        {%- set silver = graph.nodes.get(
            'model.' ~ project_name ~ '.' ~ source_name.split('_')[0] ~ '_' ~ declared.name | lower
        ) -%}
        {%- if silver -%}
            {%- do streams.append({'table': declared.name, 'model': silver}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(streams | sort(attribute='table')) }}
{%- endmacro %}

{#- The columns that a Silver model's text lists: name, cast, and both the raw and the typed expression. -#}
{% macro listed_columns(text) -%}
    {%- set columns = [] -%}
    {%- set line = "[{][{][ \\n]*(\\w+)[(]([^{}]*)[)][ \\n]*[}][}] as (\\w+)" -%}
    {%- for cast, given, name in modules.re.findall(line, text) -%}
        {#- YAML reads every list of arguments, and takes thirty times as long as JSON, which reads nearly all of them. -#}
        {%- set arguments = fromjson('[' ~ given | replace("'", '"') ~ ']') or fromyaml('[' ~ given ~ ']') -%}
        {%- set given = given_value(cast, arguments) -%}
        {%- set document = arguments[0] if cast in reads_a_document() -%}
        {%- do columns.append({
            'name': name,
            'cast': cast,
            'given': given,
            'document': document,
            'raw': raw_value(given, document),
            'typed': context[cast](*arguments) | trim,
        }) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- The casts that take a value out of JSON. -#}
{% macro reads_a_document() -%}
    {{ return([
        'json_text', 'json_timestamp', 'json_number', 'json_boolean', 'json_first', 'custom_field', 'thread_field'
    ]) }}
{%- endmacro %}

{#- What a cast is given: the column, or what is found in its JSON. Of a field in a list that is not asked again. -#}
{% macro given_value(cast, arguments) -%}
    {%- if cast == 'json_first' -%}
        {%- set found = [] -%}
        {%- for member in arguments[1:] -%}
            {%- do found.append(json_raw(arguments[0], [member] if member is string else member) | trim) -%}
        {%- endfor -%}
        {{ return("coalesce(" ~ found | join(", ") ~ ")") }}
    {%- elif cast in ['custom_field', 'thread_field'] -%}
        {{ return(none) }}
    {%- elif cast in reads_a_document() -%}
        {{ return(json_raw(arguments[0], arguments[1:]) | trim) }}
    {%- endif -%}
    {{ return(arguments[0]) }}
{%- endmacro %}

{#- The same, and where the column should be JSON and is not, the column as it is. -#}
{% macro raw_value(given, document) -%}
    {%- if not document -%}
        {{ return(given) }}
    {%- endif -%}
    {%- set broken = "case when " ~ json_document(document) ~ " is null then " ~ document ~ " end" -%}
    {{ return("coalesce(" ~ given ~ ", " ~ broken ~ ")" if given else broken) }}
{%- endmacro %}


{#- Whether the model that is built is such a list, which depends on every batch of its client and keeps no records. -#}
{% macro keeps_failures() -%}
    {{ return(model.config.get('meta', {}).get('keeps') == 'failures') }}
{%- endmacro %}
