{#-
    What happened to tickets, per day, account, system and channel. A ticket counts on the day it was created and again
    on the day it was resolved.

    agent filter: none. Volume counts every ticket, unassigned ones too; agents have aggregates of their own.
-#}
with tickets as (

    select * from {{ ref('fct_def_tickets') }}

),

created as (

    select
        created_date as metric_date,
        account_id,
        support_system,
        channel,
        1 as tickets_created,
        0 as tickets_resolved,
        0 as resolution_calendar_seconds,
        0 as tickets_with_resolution_seconds,
        touches
    from tickets

),

resolved as (

    select
        resolved_date as metric_date,
        account_id,
        support_system,
        channel,
        0 as tickets_created,
        1 as tickets_resolved,
        coalesce(resolution_calendar_seconds, 0) as resolution_calendar_seconds,
        case when resolution_calendar_seconds is null then 0 else 1 end as tickets_with_resolution_seconds,
        cast(null as bigint) as touches
    from tickets
    where is_resolved

),

activity as (

    select * from created
    union all
    select * from resolved

),

summed as (

    select
        metric_date,
        account_id,
        support_system,
        channel,
        sum(tickets_created) as tickets_created,
        sum(tickets_resolved) as tickets_resolved,
        sum(resolution_calendar_seconds) as resolution_calendar_seconds_sum,
        sum(tickets_with_resolution_seconds) as resolution_calendar_seconds_count,
        sum(touches) as touches_sum
    from activity
    group by metric_date, account_id, support_system, channel

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['metric_date', 'account_id', 'support_system', 'channel']) }} as varchar)
            as ticket_activity_channel_daily_key,

        -- grain
        cast(metric_date as date) as metric_date,
        cast(account_id as varchar) as account_id,
        cast(support_system as varchar) as support_system,
        cast(channel as varchar) as channel,

        -- measures
        cast(tickets_created as bigint) as tickets_created,
        cast(tickets_resolved as bigint) as tickets_resolved,
        cast(resolution_calendar_seconds_sum as bigint) as resolution_calendar_seconds_sum,
        cast(resolution_calendar_seconds_count as bigint) as resolution_calendar_seconds_count,
        cast(coalesce(touches_sum, 0) as bigint) as touches_sum
    from summed

)

select * from final
