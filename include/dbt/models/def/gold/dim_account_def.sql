with accounts as (

    select * from {{ ref('def_pylon_accounts') }}

),

final as (

    select
        -- ids
        cast(id as varchar) as account_id,
        cast(parent_account_id as varchar) as parent_account_id,
        cast(owner_id as varchar) as owner_id,

        -- strings
        cast(name as varchar) as account_name,
        cast(type as varchar) as account_type,
        cast(lower(coalesce(primary_domain, domain)) as varchar) as primary_domain,

        -- booleans
        cast(coalesce(is_disabled, false) as boolean) as is_disabled,
        cast(is_deleted as boolean) as is_deleted,

        -- timestamps
        cast(created_at as {{ timestamp_type() }}) as created_at
    from accounts

)

select * from final
