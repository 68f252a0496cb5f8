{#- A pilot: what could customers solve alone, and is that growing? See docs/gold.md for how it becomes a report. -#}
with tickets as (

    select * from {{ ref('agg_def_ticket_category_channel_daily') }}

),

calendar as (

    select * from {{ ref('dim_calendar') }}

),

weekly as (

    select
        calendar.week_start,
        coalesce(tickets.category, 'not categorised') as category,
        sum(tickets.tickets_resolved) as tickets_resolved,
        sum(case when tickets.self_servable in ('yes', 'partially') then tickets.tickets_resolved else 0 end)
            as self_servable_tickets_resolved
    from tickets
    inner join calendar
        on tickets.metric_date = calendar.date_day
    group by calendar.week_start, coalesce(tickets.category, 'not categorised')

),

final as (

    select
        cast({{ surrogate_key(['week_start', 'category']) }} as varchar) as self_service_weekly_key,
        week_start,
        category,
        cast(tickets_resolved as bigint) as tickets_resolved,
        cast(self_servable_tickets_resolved as bigint) as self_servable_tickets_resolved,
        {{ ratio('self_servable_tickets_resolved', 'tickets_resolved', '100.0') }} as self_servable_pct
    from weekly

)

select * from final
