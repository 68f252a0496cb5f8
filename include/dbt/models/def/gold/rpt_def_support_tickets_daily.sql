with activity as (

    select * from {{ ref('agg_def_ticket_activity_channel_daily') }}

),

accounts as (

    select * from {{ ref('dim_account_def') }}

),

final as (

    select
        -- surrogate key
        activity.ticket_activity_channel_daily_key as support_tickets_daily_key,

        -- grain
        activity.metric_date,
        activity.account_id,
        activity.support_system,
        activity.channel,

        -- labels
        accounts.account_name,
        accounts.primary_domain as domain_name,

        -- measures
        activity.tickets_created,
        activity.tickets_resolved,
        activity.touches_sum,
        activity.resolution_calendar_seconds_sum,
        activity.resolution_calendar_seconds_count,
        cast(
            activity.resolution_calendar_seconds_sum / 86400.0
            / nullif(activity.resolution_calendar_seconds_count, 0) as double
        ) as avg_ticket_resolution_days
    from activity
    left join accounts
        on activity.account_id = accounts.account_id

)

select * from final
