with activity as (

    select * from {{ ref('int_ce__ticket_activity_daily') }}

),

salesforce_accounts as (

    select
        account_id,
        account_name,
        domain_key
    from {{ ref('int_ce__sf_unique_domain_account') }}

),

final as (

    select
        cast({{ surrogate_key([
            'activity.support_source', 'activity.metric_date', 'activity.customer_id', 'activity.account_id',
            'activity.domain_name',
        ]) }} as varchar) as support_tickets_daily_key,
        activity.metric_date,
        activity.customer_id,
        salesforce_accounts.account_id as salesforce_account_id,
        salesforce_accounts.account_name as salesforce_account_name,
        activity.domain_name,
        activity.company_name,
        activity.domain_key,
        activity.support_source,
        activity.tickets_created,
        activity.messages_created,
        activity.avg_ticket_resolution_days
    from activity
    left join salesforce_accounts
        on activity.domain_key = salesforce_accounts.domain_key

)

select * from final
