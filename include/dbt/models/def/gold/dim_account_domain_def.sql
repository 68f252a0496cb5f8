{#-
    Which Salesforce account a mail domain stands for: one at most, so that a join by domain can never multiply a ticket.

    By which method, the first that applies:
    public_domain    none: anybody can have an address there
    domain           the one Salesforce account with this domain
    shared_domain    several have it: the one with the highest revenue, then the oldest; is_shared_domain says so
    merged_account   the account that had it is gone, and an account in Pylon took the domain over: that one's
    pylon_account    Salesforce does not know the domain, an account in Pylon has it and names its Salesforce account
    unmatched        none
-#}
with salesforce_accounts as (

    select
        account_id,
        coalesce(lower(trim(domain)), {{ web_domain('website') }}) as domain_key,
        annual_recurring_revenue,
        created_at,
        is_deleted
    from {{ ref('core_salesforce_accounts') }}

),

pylon_accounts as (

    select * from {{ ref('def_pylon_accounts') }}

),

pylon_contacts as (

    select * from {{ ref('def_pylon_contacts') }}

),

plain_companies as (

    select * from {{ ref('def_plain_companies') }}

),

plain_tenants as (

    select * from {{ ref('def_plain_tenants') }}

),

plain_customers as (

    select * from {{ ref('def_plain_customers') }}

),

public_domains as (

    select * from {{ ref('core_public_mail_domains') }}

),

pylon_domains as (

    select
        id as account_id,
        lower(coalesce(primary_domain, domain)) as domain_key
    from pylon_accounts
    union
    select
        pylon_accounts.id as account_id,
        lower({{ array_value('listed') }}) as domain_key
    from pylon_accounts
    {{ array_elements('pylon_accounts.domains', 'listed') }}

),

pylon_crm_ids as (

    select
        pylon_accounts.id as account_id,
        min({{ element_text('entry', 'external_id') }}) as salesforce_account_id
    from pylon_accounts
    {{ json_elements('pylon_accounts.external_ids', 'entry') }}
    where {{ element_text('entry', 'label') }} = 'salesforce'
    group by pylon_accounts.id

),

all_domains as (

    select domain_key from salesforce_accounts
    union
    select domain_key from pylon_domains
    union
    select {{ mail_domain('email') }} as domain_key from pylon_contacts
    union
    select lower(domain_name) as domain_key from plain_companies
    union
    select lower(primary_domain) as domain_key from plain_tenants
    union
    select {{ mail_domain('email') }} as domain_key from plain_customers
    union
    select domain as domain_key from public_domains

),

in_salesforce as (

    select
        domain_key,
        account_id as salesforce_account_id,
        count(*) over (partition by domain_key) as accounts_with_it
    from salesforce_accounts
    where not is_deleted
    qualify
        row_number() over (
            partition by domain_key
            order by annual_recurring_revenue desc nulls last, created_at asc, account_id asc
        ) = 1

),

-- Accounts that are gone: a file that is complete every time does not tell of them, so Pylon's directory does, too.
of_gone_accounts as (

    select domain_key
    from salesforce_accounts
    where is_deleted
    union
    select pylon_domains.domain_key
    from pylon_domains
    inner join pylon_accounts
        on pylon_domains.account_id = pylon_accounts.id
    where pylon_accounts.is_deleted

),

-- Accounts in Pylon that exist: how many have the domain, and the Salesforce account of the one it stands for.
in_pylon as (

    select
        pylon_domains.domain_key,
        pylon_accounts.id as account_id,
        salesforce_accounts.account_id as salesforce_account_id,
        count(*) over (partition by pylon_domains.domain_key) as accounts_with_it
    from pylon_domains
    inner join pylon_accounts
        on pylon_domains.account_id = pylon_accounts.id
    left join pylon_crm_ids
        on pylon_accounts.id = pylon_crm_ids.account_id
    left join salesforce_accounts
        on
            pylon_crm_ids.salesforce_account_id = salesforce_accounts.account_id
            and not salesforce_accounts.is_deleted
    where not pylon_accounts.is_deleted
    qualify
        row_number() over (
            partition by pylon_domains.domain_key
            order by
                case when salesforce_accounts.account_id is null then 1 else 0 end asc,
                salesforce_accounts.annual_recurring_revenue desc nulls last,
                pylon_accounts.created_at asc,
                pylon_accounts.id asc
        ) = 1

),

matched as (

    select
        all_domains.domain_key,
        in_pylon.account_id,
        in_salesforce.salesforce_account_id as by_salesforce,
        in_pylon.salesforce_account_id as by_pylon,
        public_domains.domain is not null as is_public_domain,
        coalesce(in_salesforce.accounts_with_it, 0) > 1 or coalesce(in_pylon.accounts_with_it, 0) > 1
            as is_shared_domain,
        case
            when public_domains.domain is not null then 'public_domain'
            when in_salesforce.accounts_with_it > 1 then 'shared_domain'
            when in_salesforce.accounts_with_it = 1 then 'domain'
            when in_pylon.salesforce_account_id is null then 'unmatched'
            when of_gone_accounts.domain_key is not null then 'merged_account'
            else 'pylon_account'
        end as account_match_method
    from all_domains
    left join in_salesforce
        on all_domains.domain_key = in_salesforce.domain_key
    left join in_pylon
        on all_domains.domain_key = in_pylon.domain_key
    left join of_gone_accounts
        on all_domains.domain_key = of_gone_accounts.domain_key
    left join public_domains
        on all_domains.domain_key = public_domains.domain
    where all_domains.domain_key is not null

),

final as (

    select
        -- ids
        cast(domain_key as varchar) as domain_key,
        cast(case
            when is_public_domain then null
            else coalesce(by_salesforce, by_pylon)
        end as varchar) as salesforce_account_id,
        cast(case when not is_public_domain then account_id end as varchar) as account_id,

        -- strings
        cast(account_match_method as varchar) as account_match_method,

        -- booleans
        cast(is_public_domain as boolean) as is_public_domain,
        cast(is_shared_domain and not is_public_domain as boolean) as is_shared_domain
    from matched

)

select * from final
