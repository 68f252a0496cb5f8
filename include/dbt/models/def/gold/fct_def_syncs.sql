{#-
    Every load that brought data in, one row each.

    source_category: 1 (our own loader; no agents appear in it)
    xo_filter_strategy: none (a load has no agent)
    join_key: stream
-#}
{%- set zone = reporting_timezone('def_bronze') -%}

with batches as (

    select * from {{ ref('def_loaded_batches') }}

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['stream', 'batch_id']) }} as varchar) as sync_key,

        -- ids
        cast(stream as varchar) as stream,
        cast(batch_id as varchar) as batch_id,
        cast(attempt as varchar) as attempt,
        cast(pipeline_run_id as varchar) as pipeline_run_id,

        -- strings
        cast(load_strategy as varchar) as load_strategy,

        -- timestamps, UTC
        cast(window_start as {{ timestamp_type() }}) as window_start,
        cast(window_end as {{ timestamp_type() }}) as window_end,
        cast(loaded_at as {{ timestamp_type() }}) as loaded_at,

        -- dates, in the reporting zone
        {{ date_in_zone('loaded_at', zone) }} as loaded_date,

        -- measures
        cast(row_count as bigint) as rows_loaded
    from batches

)

select * from final
