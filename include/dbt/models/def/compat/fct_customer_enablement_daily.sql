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
        cast({{ surrogate_key(['activity.metric_date', 'salesforce_accounts.account_id']) }} as varchar)
            as customer_enablement_daily_key,
        activity.metric_date,
        salesforce_accounts.account_id as salesforce_account_id,
        max(salesforce_accounts.account_name) as salesforce_account_name,
        cast(sum(activity.tickets_created) as bigint) as tickets_created,
        cast(sum(activity.messages_created) as bigint) as messages_created
    from activity
    left join salesforce_accounts
        on activity.domain_key = salesforce_accounts.domain_key
    group by activity.metric_date, salesforce_accounts.account_id

)

select * from final
