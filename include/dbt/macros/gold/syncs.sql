{#- The KPI domain "syncs": what was loaded when, and how fresh it is. -#}
{% macro syncs_daily(client) -%}
with syncs as (

    select * from {{ ref('fct_' ~ client ~ '_syncs') }}

),

summed as (

    select
        loaded_date as metric_date,
        stream,
        count(*) as loads,
        sum(rows_loaded) as rows_loaded,
        max(loaded_at) as latest_loaded_at,
        max(window_end) as latest_window_end
    from syncs
    group by loaded_date, stream

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

        -- measures
        cast(loads as bigint) as loads,
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
        sum(loads) as loads,
        sum(rows_loaded) as rows_loaded
    from syncs
    group by stream

),

final as (

    select
        stream,
        last_loaded_at,
        complete_up_to,
        cast(loads as bigint) as loads,
        cast(rows_loaded as bigint) as rows_loaded,
        cast(floor({{ seconds_between('last_loaded_at', now_utc()) }} / 60) as bigint) as minutes_since_load,
        cast(floor({{ seconds_between('complete_up_to', now_utc()) }} / 60) as bigint) as minutes_behind
    from summed

)

select * from final
{%- endmacro %}
