{#-
    Support tickets of client def, one row each: a logical ticket over both systems.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (a ticket counts whoever holds it; agents are told apart by is_support_agent)
    join_key: assignee_id
-#}
{%- set zone = reporting_timezone('def_bronze') -%}

with tickets as (

    select *
    from {{ ref('int_def_tickets_unioned') }}
    where is_counted

),

agents as (

    select * from {{ ref('int_def_agents') }}

),

salesforce_accounts as (

    select
        salesforce_account_id,
        is_deleted
    from {{ ref('dim_salesforce_account') }}

),

domains as (

    select
        domain_key,
        salesforce_account_id,
        account_match_method
    from {{ ref('dim_account_domain_def') }}

),

closings as (

    select
        ticket_key,
        max(closed_at) as last_closed_at
    from {{ ref('fct_def_ticket_episodes') }}
    group by ticket_key

),

-- Pylon says itself when a ticket was resolved; Plain when its status changed last, which may be after it was closed.
resolved as (

    select
        tickets.*,
        case
            when tickets.support_system = 'plain' and tickets.resolved_at_reported is not null
                then coalesce(closings.last_closed_at, tickets.resolved_at_reported)
            else tickets.resolved_at_reported
        end as resolved_at
    from tickets
    left join closings
        on tickets.ticket_key = closings.ticket_key

),

dated as (

    select
        *,
        {{ date_in_zone('created_at', zone) }} as created_date,
        {{ date_in_zone('resolved_at', zone) }} as resolved_date
    from resolved

),

final as (

    select
        -- surrogate key
        tickets.ticket_key,

        -- ids
        tickets.support_system,
        tickets.ticket_id,
        tickets.ticket_number,
        tickets.linked_thread_id,
        tickets.account_id,
        tickets.customer_id,
        tickets.company_id,
        tickets.tenant_id,
        tickets.crm_account_id,
        cast(coalesce(salesforce_accounts.salesforce_account_id, domains.salesforce_account_id) as varchar)
            as salesforce_account_id,
        tickets.requester_id,
        tickets.assignee_id,
        cast(agents.eid as varchar) as eid,
        tickets.team_id,

        -- strings
        tickets.account_domain,
        cast(case
            when salesforce_accounts.salesforce_account_id is not null then 'crm_id'
            else coalesce(domains.account_match_method, 'unmatched')
        end as varchar) as account_match_method,
        tickets.channel,
        tickets.source_channel,
        tickets.ticket_type,
        tickets.title,
        tickets.state,
        tickets.source_state,
        tickets.assignee_kind,
        cast({{ tenure_bucket('agents.hire_date', 'tickets.created_date') }} as varchar) as tenure_bucket,
        cast(agents.wave_period as varchar) as wave_period,
        tickets.priority,
        tickets.category,
        tickets.handler,
        tickets.resolution_type,
        tickets.self_servable,
        tickets.link,
        tickets.first_response_sla_status_reported,

        -- booleans
        cast(tickets.resolved_at is not null as boolean) as is_resolved,
        tickets.is_issue_group,
        cast(coalesce(agents.is_support_agent, false) as boolean) as is_support_agent,

        -- timestamps, UTC
        tickets.created_at,
        tickets.plain_created_at,
        tickets.updated_at,
        tickets.snoozed_until,
        tickets.latest_message_at,
        tickets.resolved_at,
        tickets.first_response_at_reported,
        tickets.first_resolved_at_reported,
        tickets.first_response_due_at_reported,
        tickets.resolution_due_at_reported,

        -- dates, in the reporting zone
        tickets.created_date,
        tickets.resolved_date,

        -- measures
        cast({{ seconds_between('tickets.created_at', 'tickets.resolved_at') }} as bigint)
            as resolution_calendar_seconds,
        tickets.resolution_seconds_reported,
        tickets.resolution_business_seconds_reported,
        tickets.first_response_seconds_reported,
        tickets.first_response_business_seconds_reported,
        tickets.touches,
        tickets.tag_count,

        -- lineage
        tickets.record_hash,
        tickets.read_at,
        tickets.source_file,
        tickets.batch_id,
        tickets.pipeline_run_id
    from dated as tickets
    left join agents
        on
            tickets.support_system = agents.support_system
            and tickets.assignee_id = agents.user_id
    left join salesforce_accounts
        on
            tickets.crm_account_id = salesforce_accounts.salesforce_account_id
            and not salesforce_accounts.is_deleted
    left join domains
        on tickets.account_domain = domains.domain_key

)

select * from final
