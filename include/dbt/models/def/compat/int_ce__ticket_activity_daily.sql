with activity as (

    select * from {{ ref('rpt_def_support_tickets_daily') }}

),

plain_ticket_activity as (

    select
        metric_date,
        customer_id,
        cast(null as varchar) as account_id,
        domain_name,
        max(company_name) as company_name,
        domain_key,
        sum(tickets_created) as tickets_created,
        sum(messages_created) as messages_created,
        sum(resolution_calendar_seconds_sum) / 86400.0 / nullif(sum(resolution_calendar_seconds_count), 0)
            as avg_ticket_resolution_days
    from activity
    where support_system = 'plain'
    group by metric_date, customer_id, domain_name, domain_key

),

pylon_ticket_activity as (

    select
        metric_date,
        cast(null as varchar) as customer_id,
        account_id,
        domain_name,
        max(company_name) as company_name,
        domain_key,
        sum(tickets_created) as tickets_created,
        sum(messages_created) as messages_created,
        sum(resolution_calendar_seconds_sum) / 86400.0 / nullif(sum(resolution_calendar_seconds_count), 0)
            as avg_ticket_resolution_days
    from activity
    where support_system = 'pylon'
    group by metric_date, account_id, domain_name, domain_key

),

unioned as (

    select
        'plain' as support_source,
        plain_ticket_activity.*
    from plain_ticket_activity
    union all
    select
        'pylon' as support_source,
        pylon_ticket_activity.*
    from pylon_ticket_activity

),

final as (

    select
        cast(metric_date as date) as metric_date,
        cast(customer_id as varchar) as customer_id,
        cast(account_id as varchar) as account_id,
        cast(domain_name as varchar) as domain_name,
        cast(company_name as varchar) as company_name,
        cast(domain_key as varchar) as domain_key,
        cast(support_source as varchar) as support_source,
        cast(tickets_created as bigint) as tickets_created,
        cast(messages_created as bigint) as messages_created,
        cast(avg_ticket_resolution_days as double) as avg_ticket_resolution_days
    from unioned

)

select * from final
