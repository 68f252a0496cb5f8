{#-
    Volume per week, month or quarter and how it moved against the one before. Every period between the first and the last
    has a row for every channel there ever was, so that a quiet period counts as nothing and is not skipped by the lag.
    The last period may still run; is_period_complete says so.
-#}
{% macro volume_per_period(client, period) -%}
{%- set grain = ['period_start', 'support_system', 'channel'] -%}
{%- set measures = ['tickets_created', 'tickets_resolved', 'messages_created'] -%}
{%- set today = date_in_zone(now_utc(), reporting_timezone(client ~ '_bronze')) -%}

with activity as (

    select * from {{ ref('agg_' ~ client ~ '_ticket_activity_channel_daily') }}

),

calendar as (

    select
        date_day,
        {{ period }}_start as period_start
    from {{ ref('dim_calendar') }}

),

bounds as (

    select
        min(calendar.period_start) as first_period,
        max(calendar.period_start) as last_period
    from activity
    inner join calendar
        on activity.metric_date = calendar.date_day

),

periods as (

    select
        calendar.period_start,
        max(calendar.date_day) as period_end
    from calendar
    inner join bounds
        on calendar.period_start between bounds.first_period and bounds.last_period
    group by calendar.period_start

),

channels as (

    select distinct
        support_system,
        channel
    from activity

),

dated as (

    select
        calendar.period_start,
        activity.support_system,
        activity.channel,
        activity.tickets_created,
        activity.tickets_resolved,
        activity.messages_created
    from activity
    inner join calendar
        on activity.metric_date = calendar.date_day

),

summed as (

    {{ summed_to('dated', grain, measures) }}

),

filled as (

    select
        periods.period_start,
        periods.period_end,
        channels.support_system,
        channels.channel
        {%- for measure in measures %},
        coalesce(summed.{{ measure }}, 0) as {{ measure }}
        {%- endfor %}
    from periods
    cross join channels
    left join summed
        on
            periods.period_start = summed.period_start
            and channels.support_system = summed.support_system
            and channels.channel = summed.channel

),

compared as (

    select
        *
        {%- for measure in measures %},
        lag({{ measure }}) over (partition by support_system, channel order by period_start) as previous_{{ measure }}
        {%- endfor %}
    from filled

),

final as (

    select
        cast({{ surrogate_key(grain) }} as varchar) as volume_key,

        -- grain
        cast(period_start as date) as period_start,
        cast(period_end as date) as period_end,
        support_system,
        channel,
        period_end < {{ today }} as is_period_complete,

        -- measures
        {%- for measure in measures %}
        cast({{ measure }} as bigint) as {{ measure }},
        cast(previous_{{ measure }} as bigint) as previous_{{ measure }},
        cast({{ measure }} - previous_{{ measure }} as bigint) as {{ measure }}_change,
        {{ ratio('(' ~ measure ~ ' - previous_' ~ measure ~ ')', 'previous_' ~ measure, '100.0') }}
            as {{ measure }}_change_pct{{ ',' if not loop.last }}
        {%- endfor %}
    from compared

)

select * from final
{%- endmacro %}
