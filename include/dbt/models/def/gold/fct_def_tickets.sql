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
        tickets.requester_id,
        tickets.assignee_id,
        tickets.team_id,

        -- strings
        tickets.account_domain,
        tickets.channel,
        tickets.source_channel,
        tickets.ticket_type,
        tickets.title,
        tickets.state,
        tickets.source_state,
        tickets.assignee_kind,
        tickets.priority,
        tickets.category,
        tickets.handler,
        tickets.resolution_type,
        tickets.self_servable,
        tickets.link,
        tickets.first_response_sla_status_reported,

        -- booleans
        cast(tickets.resolved_at_reported is not null as boolean) as is_resolved,
        tickets.is_issue_group,

        -- timestamps, UTC
        tickets.created_at,
        tickets.plain_created_at,
        tickets.updated_at,
        tickets.snoozed_until,
        tickets.latest_message_at,
        tickets.resolved_at_reported as resolved_at,
        tickets.first_response_at_reported,
        tickets.first_resolved_at_reported,
        tickets.first_response_due_at_reported,
        tickets.resolution_due_at_reported,

        -- dates, in the reporting zone
        {{ date_in_zone('tickets.created_at', zone) }} as created_date,
        {{ date_in_zone('tickets.resolved_at_reported', zone) }} as resolved_date,

        -- measures
        cast({{ seconds_between('tickets.created_at', 'tickets.resolved_at_reported') }} as bigint)
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
    from tickets

)

select * from final
