{#-
    Every distinct thing a stream has delivered, once: of each key and content the row that delivered it first. An event
    read again by an overlapping window is the same event, a version read again is the same version; so a model over
    these rows counts events, or has a row per version. Batches that come late, shrink or vanish change what is there
    exactly as they would have in a full refresh, because all rows of a touched key are looked at again.

    The key of such a row is the record's key with the fingerprint of the content, which holds the version stamp.
-#}
{% macro event_rows(source_name, table) -%}
    {%- set stream = stream_facts(source_name, table) -%}
    {%- do require_kind(stream, 'event_stream') -%}
    {{ distinct_rows(stream) }}
{%- endmacro %}

{% macro version_rows(source_name, table) -%}
    {%- set stream = stream_facts(source_name, table) -%}
    {%- do require_kind(stream, 'record_set') -%}
    {{ distinct_rows(stream) }}
{%- endmacro %}

{% macro distinct_rows(stream) -%}
    select
        *,
        {{ history_key() }} as ROW_KEY
    from {{ delivered_rows(stream) }} as delivered
    qualify row_number() over (
        partition by RECORD_KEY, RECORD_HASH
        order by ROW_READ_AT nulls first, SOURCE_FILE
            {%- for column in stream.meta.volatile or [] %}, {{ column }} nulls first{% endfor %}
    ) = 1
{%- endmacro %}

{% macro history_key() -%}
    RECORD_KEY || '|' || RECORD_HASH
{%- endmacro %}


{#- Whether the model that is built keeps everything ever seen, and not the newest state only. -#}
{% macro keeps_history() -%}
    {{ return(model.config.get('meta', {}).get('keeps') == 'history') }}
{%- endmacro %}


{#- The columns such a table ends with: where its row came from, and whose it is. -#}
{% macro history_columns() -%}
    ROW_KEY as RECORD_KEY,
    RECORD_KEY as SOURCE_RECORD_KEY,
    RECORD_HASH,
    ROW_READ_AT as DATE_TO_WAREHOUSE,
    SOURCE_FILE,
    BATCH_ID,
    PIPELINE_RUN_ID
{%- endmacro %}
