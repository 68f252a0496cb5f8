{#-
    Every load that brought data in, and every try to read that did not end in one: it failed, was cut off, or was read and
    not loaded, because another was or because a person has to look at it first.

    source_category: 1 (our own loader; no agents appear in it)
    xo_filter_strategy: none (a load has no agent)
    join_key: stream
-#}
{%- set zone = reporting_timezone('def_bronze') -%}

with batches as (

    select * from {{ ref('def_loaded_batches') }}

),

attempts as (

    select * from {{ ref('def_load_attempts') }}

),

loads as (

    select
        batches.stream,
        batches.batch_id,
        batches.attempt,
        batches.pipeline_run_id,
        batches.load_strategy,
        'loaded' as sync_status,
        cast(null as varchar) as error,
        batches.window_start,
        batches.window_end,
        attempts.started_at,
        attempts.ended_at,
        batches.loaded_at,
        attempts.pages as pages_read,
        batches.row_count as rows_read,
        batches.row_count as rows_loaded
    from batches
    left join attempts
        on
            batches.stream = attempts.stream
            and batches.batch_id = attempts.batch_id
            and batches.attempt = attempts.attempt

),

others as (

    select
        attempts.stream,
        attempts.batch_id,
        attempts.attempt,
        attempts.pipeline_run_id,
        cast(null as varchar) as load_strategy,
        case attempts.outcome when 'complete' then 'not_loaded' else attempts.outcome end as sync_status,
        attempts.error,
        cast(null as {{ timestamp_type() }}) as window_start,
        cast(null as {{ timestamp_type() }}) as window_end,
        attempts.started_at,
        attempts.ended_at,
        cast(null as {{ timestamp_type() }}) as loaded_at,
        attempts.pages as pages_read,
        attempts.row_count as rows_read,
        0 as rows_loaded
    from attempts
    left join batches
        on
            attempts.stream = batches.stream
            and attempts.batch_id = batches.batch_id
            and attempts.attempt = batches.attempt
    where batches.batch_id is null

),

syncs as (

    select * from loads
    union all
    select * from others

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['stream', 'batch_id', 'attempt']) }} as varchar) as sync_key,

        -- ids
        cast(stream as varchar) as stream,
        cast(batch_id as varchar) as batch_id,
        cast(attempt as varchar) as attempt,
        cast(pipeline_run_id as varchar) as pipeline_run_id,

        -- strings
        cast(sync_status as varchar) as sync_status,
        cast(load_strategy as varchar) as load_strategy,
        cast(error as varchar) as error,

        -- timestamps, UTC
        cast(window_start as {{ timestamp_type() }}) as window_start,
        cast(window_end as {{ timestamp_type() }}) as window_end,
        cast(started_at as {{ timestamp_type() }}) as started_at,
        cast(ended_at as {{ timestamp_type() }}) as ended_at,
        cast(loaded_at as {{ timestamp_type() }}) as loaded_at,

        -- dates, in the reporting zone
        {{ date_in_zone('coalesce(loaded_at, ended_at, started_at)', zone) }} as sync_date,

        -- measures
        cast(pages_read as bigint) as pages_read,
        cast(rows_read as bigint) as rows_read,
        cast(rows_loaded as bigint) as rows_loaded
    from syncs

)

select * from final
