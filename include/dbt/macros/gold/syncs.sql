{#- The KPI domain "syncs": what was loaded when, what failed, and how fresh it is. -#}
{% macro syncs_daily(client) -%}
with syncs as (

    select * from {{ ref('fct_' ~ client ~ '_syncs') }}

),

summed as (

    select
        sync_date as metric_date,
        stream,
        sum(case when sync_status = 'loaded' then 1 else 0 end) as loads,
        sum(case when sync_status in ('failed', 'cut_off') then 1 else 0 end) as failures,
        sum(rows_loaded) as rows_loaded,
        max(loaded_at) as latest_loaded_at,
        max(window_end) as latest_window_end,
        max(case when sync_status in ('failed', 'cut_off') then coalesce(ended_at, started_at) end) as latest_failed_at
    from syncs
    group by sync_date, stream

),

final as (

    select
        cast({{ surrogate_key(['metric_date', 'stream']) }} as varchar) as syncs_daily_key,

        -- grain
        cast(metric_date as date) as metric_date,
        cast(stream as varchar) as stream,

        -- timestamps, UTC
        cast(latest_loaded_at as {{ timestamp_type() }}) as latest_loaded_at,
        cast(latest_window_end as {{ timestamp_type() }}) as latest_window_end,
        cast(latest_failed_at as {{ timestamp_type() }}) as latest_failed_at,

        -- measures
        cast(loads as bigint) as loads,
        cast(failures as bigint) as failures,
        cast(rows_loaded as bigint) as rows_loaded
    from summed

)

select * from final
{%- endmacro %}


{#- How long ago each stream was last loaded, and up to when it is complete: both at the moment of reading. -#}
{% macro sync_status_current(client) -%}
with syncs as (

    select * from {{ ref('agg_' ~ client ~ '_syncs_daily') }}

),

summed as (

    select
        stream,
        max(latest_loaded_at) as last_loaded_at,
        max(latest_window_end) as complete_up_to,
        max(latest_failed_at) as last_failed_at,
        sum(loads) as loads,
        sum(failures) as failures,
        sum(rows_loaded) as rows_loaded
    from syncs
    group by stream

),

final as (

    select
        stream,
        last_loaded_at,
        complete_up_to,
        last_failed_at,
        cast(loads as bigint) as loads,
        cast(failures as bigint) as failures,
        cast(rows_loaded as bigint) as rows_loaded,
        cast(floor({{ seconds_between('last_loaded_at', now_utc()) }} / 60) as bigint) as minutes_since_load,
        cast(floor({{ seconds_between('complete_up_to', now_utc()) }} / 60) as bigint) as minutes_behind
    from summed

)

select * from final
{%- endmacro %}
