{#-
    The current rows of a record set: of every key the row Silver keeps, with all its Bronze columns, and whether the
    record still exists. Silver models select typed columns from this and do nothing else.

    Which row: versions are ordered by version stamp, then by when they were read. Reading the same content again adds
    a row to Bronze but says nothing new, so the row kept is the first of the newest unbroken run of equal content: an
    unchanged re-read changes nothing in Silver.

    Whether it exists: a record is deleted when somebody looked for it after its newest row was read and did not find
    it. That is what the coverage ledger records: a directory read whole, a parent asked for its children, a record
    answered with "gone". A row read later brings the record back.

    In an incremental run only the keys are read that find_touched_keys has listed; the rest cannot have changed.
-#}
{% macro current_rows(source_name, table) -%}
    {%- set stream = stream_facts(source_name, table) -%}
    {%- set meta = stream.meta -%}
    {%- do require_kind(stream, 'record_set') -%}
    {%- set of_parent = meta.coverage == 'parent' -%}
    {%- set newest_first -%}
        partition by RECORD_KEY
            order by
                {% if meta.order_by %}ROW_VERSION_AT desc nulls last, {% endif -%}
                ROW_READ_AT desc nulls last, SOURCE_FILE desc, RECORD_HASH desc
                {%- for column in (['PARENT_KEY'] if of_parent else []) + (meta.volatile or []) -%}
                , {{ column }} desc nulls last
                {%- endfor %}
    {%- endset -%}

    select
        kept.*,
        absence.OBSERVED_AT is not null or gone.OBSERVED_AT is not null as ROW_IS_DELETED,
        case
            when gone.OBSERVED_AT <= absence.OBSERVED_AT then gone.OBSERVED_AT
            else coalesce(absence.OBSERVED_AT, gone.OBSERVED_AT)
        end as ROW_DELETED_AT,
        case
            when absence.OBSERVED_AT < gone.OBSERVED_AT then absence.HOW
            else coalesce(gone.HOW, absence.HOW)
        end as ROW_DELETED_HOW
    from (
        select *
        from (
            select
                *,
                row_number() over (
                    {{ newest_first }}
                ) as ROW_RECENCY,
                lead(RECORD_HASH) over (
                    {{ newest_first }}
                ) as ROW_OLDER_HASH,
                {% if of_parent -%}
                lead(PARENT_KEY) over (
                    {{ newest_first }}
                ) as ROW_OLDER_PARENT_KEY,
                {% endif -%}
                first_value(ROW_READ_AT) over (
                    {{ newest_first }}
                    rows between unbounded preceding and unbounded following
                ) as ROW_LAST_SEEN_AT
            from {{ delivered_rows(stream) }} as delivered
        ) as versions
        where
            ROW_OLDER_HASH is null
            or ROW_OLDER_HASH <> RECORD_HASH
            {%- if of_parent %}
            or ROW_OLDER_PARENT_KEY is distinct from PARENT_KEY
            {%- endif %}
        qualify row_number() over (partition by RECORD_KEY order by ROW_RECENCY) = 1
    ) as kept
    left join {{ absences(stream, meta.coverage) }} as absence
        on
            absence.SCOPE = {{ 'kept.PARENT_KEY' if of_parent else "'*'" }}
            and absence.OBSERVED_AT > kept.ROW_LAST_SEEN_AT
            and absence.OBSERVED_BEFORE <= kept.ROW_LAST_SEEN_AT
    left join {{ absences(stream, 'record') }} as gone
        on
            gone.SCOPE = kept.RECORD_KEY
            and gone.OBSERVED_AT > kept.ROW_LAST_SEEN_AT
            and gone.OBSERVED_BEFORE <= kept.ROW_LAST_SEEN_AT
{%- endmacro %}


{#-
    Every row of a stream as delivered, with its version stamp and the time of reading as instants; in an incremental
    run those of touched keys only.
-#}
{% macro delivered_rows(stream) -%}
    (
        select
            *,
            {% if stream.meta.order_by -%}
            {{ version_stamp(stream.meta) }} as ROW_VERSION_AT,
            {% endif -%}
            {{ utc_timestamp('DATE_TO_WAREHOUSE') }} as ROW_READ_AT
        from {{ stream.bronze }}
        {% if is_incremental() -%}
        where {{ has_one_of_keys(stream.bronze, 'select RECORD_KEY from ' ~ scratch('touched')) }}
        {% endif %}
    )
{%- endmacro %}

{#- The vendor's version stamp, which may be wrapped in an object. -#}
{% macro version_stamp(meta) -%}
    {{ json_timestamp(meta.order_by, meta.order_by_path) if meta.order_by_path else utc_timestamp(meta.order_by) }}
{%- endmacro %}


{#-
    When each scope was looked at, as stretches from one look to the next. An instant lies in exactly one stretch of a
    scope, whose end is the first look after it: so joining on the stretch finds the first time that a record was
    missed and can never multiply a row.
-#}
{% macro absences(stream, kind) -%}
    (
        select
            SCOPE,
            OBSERVED_AT,
            {% if kind == 'snapshot' -%}
            'not in the directory' as HOW,
            {% elif kind == 'parent' -%}
            case OUTCOME when 'gone' then 'parent gone' else 'not under its parent' end as HOW,
            {% else -%}
            'gone' as HOW,
            {% endif -%}
            coalesce(
                lag(OBSERVED_AT) over (partition by SCOPE order by OBSERVED_AT, OUTCOME),
                cast('0001-01-01' as {{ timestamp_type() }})
            ) as OBSERVED_BEFORE
        from {{ stream.coverage }}
        where
            STREAM = '{{ stream.name }}'
            {% if kind == 'snapshot' -%}
            and SCOPE = '*' and OUTCOME = 'complete'
            {% elif kind == 'parent' -%}
            and SCOPE <> '*'
            {% elif kind == 'record' -%}
            and SCOPE <> '*' and OUTCOME = 'gone'
            {% else -%}
            and false
            {% endif -%}
    )
{%- endmacro %}


{#- The columns every Silver table ends with: where its row came from, and whether the record still exists. -#}
{% macro record_columns(parent=false) -%}
    RECORD_KEY,
    RECORD_HASH,
    {% if parent -%}
    PARENT_KEY,
    {% endif -%}
    ROW_READ_AT as DATE_TO_WAREHOUSE,
    SOURCE_FILE,
    BATCH_ID,
    PIPELINE_RUN_ID,
    ROW_IS_DELETED as IS_DELETED,
    ROW_DELETED_AT as DELETED_AT,
    ROW_DELETED_HOW as DELETED_HOW
{%- endmacro %}
