with domains as (

    select * from {{ ref('dim_account_domain_def') }}

),

salesforce_accounts as (

    select * from {{ ref('dim_salesforce_account') }}

),

final as (

    select
        domains.salesforce_account_id as account_id,
        salesforce_accounts.salesforce_account_name as account_name,
        domains.domain_key
    from domains
    inner join salesforce_accounts
        on domains.salesforce_account_id = salesforce_accounts.salesforce_account_id

)

select * from final
