with accounts as (

    select * from {{ ref('core_salesforce_accounts') }}

),

final as (

    select
        -- ids
        cast(account_id as varchar) as salesforce_account_id,

        -- strings
        cast(account_name as varchar) as salesforce_account_name,
        cast(coalesce(lower(trim(domain)), {{ web_domain('website') }}) as varchar) as domain_key,
        cast(segment as varchar) as segment,
        cast(lower(trim(owner_email)) as varchar) as owner_email,
        cast(billing_country as varchar) as billing_country,

        -- booleans
        cast(is_deleted as boolean) as is_deleted,

        -- timestamps, UTC
        cast(created_at as {{ timestamp_type() }}) as created_at
    from accounts

)

select * from final
