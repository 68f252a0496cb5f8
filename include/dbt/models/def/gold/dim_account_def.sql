with accounts as (

    select * from {{ ref('def_pylon_accounts') }}

),

crm_ids as (

    select
        accounts.id as account_id,
        min({{ element_text('entry', 'external_id') }}) as crm_account_id
    from accounts
    {{ json_elements('accounts.external_ids', 'entry') }}
    where {{ element_text('entry', 'label') }} = 'salesforce'
    group by accounts.id

),

-- Pylon does not say that an account was merged away: it is gone, and another has its domain.
heirs as (

    select
        accounts.id as account_id,
        lower({{ array_value('listed') }}) as domain_key
    from accounts
    {{ array_elements('accounts.domains', 'listed') }}
    where not accounts.is_deleted

),

merged as (

    select
        accounts.id as account_id,
        min(heirs.account_id) as merged_into_account_id
    from accounts
    inner join heirs
        on lower(coalesce(accounts.primary_domain, accounts.domain)) = heirs.domain_key
    where accounts.is_deleted
    group by accounts.id

),

final as (

    select
        -- ids
        cast(accounts.id as varchar) as account_id,
        cast(accounts.parent_account_id as varchar) as parent_account_id,
        cast(merged.merged_into_account_id as varchar) as merged_into_account_id,
        cast(crm_ids.crm_account_id as varchar) as crm_account_id,
        cast(accounts.owner_id as varchar) as owner_id,

        -- strings
        cast(accounts.name as varchar) as account_name,
        cast(accounts.type as varchar) as account_type,
        cast(lower(coalesce(accounts.primary_domain, accounts.domain)) as varchar) as primary_domain,

        -- booleans
        cast(coalesce(accounts.is_disabled, false) as boolean) as is_disabled,
        cast(accounts.is_deleted as boolean) as is_deleted,

        -- timestamps
        cast(accounts.created_at as {{ timestamp_type() }}) as created_at
    from accounts
    left join crm_ids
        on accounts.id = crm_ids.account_id
    left join merged
        on accounts.id = merged.account_id

)

select * from final
