{#-
    Every ticket either system ever delivered, in one shape, and whether it counts. A logical ticket counts once: a Plain
    thread that a Pylon issue goes on with counts as that issue. Values are as given; what the vendors compute themselves
    ends in _reported.

    Why a row does not count, the first rule that applies:
    deleted            it is gone from its system, as far as anybody looked
    customer_deleted   its customer was erased in Plain, and all their threads with them
    spam               its customer was marked as spam in Plain
    merged             it was merged into another thread, which counts
    linked_to_pylon    a Pylon issue goes on with it, and counts
-#}
with issues as (

    select * from {{ ref('def_pylon_issues') }}

),

issue_statuses as (

    select * from {{ ref('def_pylon_issue_statuses') }}

),

accounts as (

    select * from {{ ref('def_pylon_accounts') }}

),

contacts as (

    select * from {{ ref('def_pylon_contacts') }}

),

threads as (

    select * from {{ ref('def_plain_threads') }}

),

customers as (

    select * from {{ ref('def_plain_customers') }}

),

companies as (

    select * from {{ ref('def_plain_companies') }}

),

tenants as (

    select * from {{ ref('def_plain_tenants') }}

),

applied_links as (

    select *
    from {{ ref('int_def_ticket_links') }}
    where is_applied

),

channel_map as (

    select * from {{ ref('core_channel_map') }}

),

-- An issue may go on with several threads that had been merged: the oldest one stands for them.
linked_threads as (

    select
        issue_id,
        thread_id,
        thread_created_at
    from applied_links
    qualify row_number() over (partition by issue_id order by thread_created_at, thread_id) = 1

),

merged_threads as (

    select
        threads.id as thread_id,
        min({{ element_text('entry', 'node', 'sourceId') }}) as merged_into_id
    from threads
    {{ json_elements('threads.links', 'entry', 'edges') }}
    where {{ element_text('entry', 'node', 'linkType') }} = 'MERGED_INTO'
    group by threads.id

),

account_crm_ids as (

    select
        accounts.id as account_id,
        min({{ element_text('entry', 'external_id') }}) as crm_account_id
    from accounts
    {{ json_elements('accounts.external_ids', 'entry') }}
    where {{ element_text('entry', 'label') }} = 'salesforce'
    group by accounts.id

),

pylon as (

    select
        cast('pylon' as varchar) as support_system,
        cast(issues.id as varchar) as ticket_id,
        cast(issues.number as bigint) as ticket_number,
        cast(linked_threads.thread_id as varchar) as linked_thread_id,
        cast(null as varchar) as linked_issue_id,
        cast(null as varchar) as merged_into_id,
        cast(issues.account_id as varchar) as account_id,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as company_id,
        cast(null as varchar) as tenant_id,
        cast(account_crm_ids.crm_account_id as varchar) as crm_account_id,
        cast(issues.requester_id as varchar) as requester_id,
        cast(issues.assignee_id as varchar) as assignee_id,
        cast(issues.team_id as varchar) as team_id,
        cast(lower(coalesce(
            accounts.primary_domain, accounts.domain, {{ mail_domain('contacts.email') }}
        )) as varchar) as account_domain,
        cast(case when issues.assignee_id is not null then 'user' end as varchar) as assignee_kind,
        cast(issues.title as varchar) as title,
        cast(issues.link as varchar) as link,
        cast(issues.type as varchar) as ticket_type,
        cast(issues.source as varchar) as source_channel,
        cast(issues.state as varchar) as source_state,
        cast({{ pylon_state('issues.state', 'issue_statuses.category') }} as varchar) as state,
        cast(lower(issues.priority) as varchar) as priority,
        cast(lower(issues.category) as varchar) as category,
        cast(lower(issues.handler) as varchar) as handler,
        cast(lower(issues.resolution_type) as varchar) as resolution_type,
        cast(lower(issues.self_servable) as varchar) as self_servable,
        cast(coalesce(issues.is_issue_group, false) as boolean) as is_issue_group,
        cast(issues.is_deleted as boolean) as is_deleted,
        cast(case when issues.is_deleted then 'deleted' end as varchar) as exclusion_rule,
        cast(issues.created_at as {{ timestamp_type() }}) as created_at,
        cast(linked_threads.thread_created_at as {{ timestamp_type() }}) as plain_created_at,
        cast(issues.updated_at as {{ timestamp_type() }}) as updated_at,
        cast(null as {{ timestamp_type() }}) as state_changed_at,
        cast(issues.snoozed_until_time as {{ timestamp_type() }}) as snoozed_until,
        cast(issues.latest_message_time as {{ timestamp_type() }}) as latest_message_at,
        cast(issues.first_response_time as {{ timestamp_type() }}) as first_response_at_reported,
        cast(issues.resolution_time as {{ timestamp_type() }}) as resolved_at_reported,
        cast(issues.first_resolution_time as {{ timestamp_type() }}) as first_resolved_at_reported,
        cast(issues.first_response_breach_time as {{ timestamp_type() }}) as first_response_due_at_reported,
        cast(issues.resolution_breach_time as {{ timestamp_type() }}) as resolution_due_at_reported,
        cast(issues.first_response_seconds as bigint) as first_response_seconds_reported,
        cast(issues.business_hours_first_response_seconds as bigint) as first_response_business_seconds_reported,
        cast(issues.resolution_seconds as bigint) as resolution_seconds_reported,
        cast(issues.business_hours_resolution_seconds as bigint) as resolution_business_seconds_reported,
        cast(null as varchar) as first_response_sla_status_reported,
        cast(issues.number_of_touches as bigint) as touches,
        cast({{ array_length('issues.tags') }} as bigint) as tag_count,
        cast(issues.record_hash as varchar) as record_hash,
        cast(issues.date_to_warehouse as {{ timestamp_type() }}) as read_at,
        cast(issues.source_file as varchar) as source_file,
        cast(issues.batch_id as varchar) as batch_id,
        cast(issues.pipeline_run_id as varchar) as pipeline_run_id,
        cast(issues.deleted_at as {{ timestamp_type() }}) as deleted_at
    from issues
    left join issue_statuses
        on issues.state = issue_statuses.slug
    left join accounts
        on issues.account_id = accounts.id
    left join account_crm_ids
        on issues.account_id = account_crm_ids.account_id
    left join contacts
        on issues.requester_id = contacts.id
    left join linked_threads
        on issues.id = linked_threads.issue_id

),

plain as (

    select
        cast('plain' as varchar) as support_system,
        cast(threads.id as varchar) as ticket_id,
        cast({{ whole_number("replace(threads.ref, 'T-', '')") }} as bigint) as ticket_number,
        cast(null as varchar) as linked_thread_id,
        cast(applied_links.issue_id as varchar) as linked_issue_id,
        cast(merged_threads.merged_into_id as varchar) as merged_into_id,
        cast(null as varchar) as account_id,
        cast(threads.customer_id as varchar) as customer_id,
        cast(threads.company_id as varchar) as company_id,
        cast(threads.tenant_id as varchar) as tenant_id,
        cast(case when tenants.source = 'SALESFORCE' then tenants.external_id end as varchar) as crm_account_id,
        cast(threads.customer_id as varchar) as requester_id,
        cast(threads.assignee_id as varchar) as assignee_id,
        cast(null as varchar) as team_id,
        cast(lower(coalesce(
            companies.domain_name, tenants.primary_domain, {{ mail_domain('customers.email') }}
        )) as varchar) as account_domain,
        cast(case threads.assignee_kind
            when 'MachineUser' then 'machine'
            else lower(threads.assignee_kind)
        end as varchar) as assignee_kind,
        cast(threads.title as varchar) as title,
        cast(null as varchar) as link,
        cast('thread' as varchar) as ticket_type,
        cast(threads.channel as varchar) as source_channel,
        cast(threads.status as varchar) as source_state,
        cast({{ plain_state('threads.status', 'threads.status_detail_kind') }} as varchar) as state,
        cast({{ plain_priority('threads.priority') }} as varchar) as priority,
        cast(lower(threads.category) as varchar) as category,
        cast(lower(threads.handler) as varchar) as handler,
        cast(lower(threads.resolution_type) as varchar) as resolution_type,
        cast(lower(threads.self_servable) as varchar) as self_servable,
        cast(false as boolean) as is_issue_group,
        cast(threads.is_deleted as boolean) as is_deleted,
        cast(case
            when threads.is_deleted then 'deleted'
            when customers.is_deleted then 'customer_deleted'
            when customers.marked_as_spam_at is not null then 'spam'
            when merged_threads.thread_id is not null then 'merged'
            when applied_links.thread_id is not null then 'linked_to_pylon'
        end as varchar) as exclusion_rule,
        cast(threads.created_at as {{ timestamp_type() }}) as created_at,
        cast(null as {{ timestamp_type() }}) as plain_created_at,
        cast(threads.updated_at as {{ timestamp_type() }}) as updated_at,
        cast(threads.status_changed_at as {{ timestamp_type() }}) as state_changed_at,
        cast(threads.waiting_until as {{ timestamp_type() }}) as snoozed_until,
        cast(case
            when threads.last_inbound_message_at > threads.last_outbound_message_at
                then threads.last_inbound_message_at
            else coalesce(threads.last_outbound_message_at, threads.last_inbound_message_at)
        end as {{ timestamp_type() }}) as latest_message_at,
        cast(threads.first_outbound_message_at as {{ timestamp_type() }}) as first_response_at_reported,
        cast(case when threads.status = 'DONE' then threads.status_changed_at end as {{ timestamp_type() }})
            as resolved_at_reported,
        cast(null as {{ timestamp_type() }}) as first_resolved_at_reported,
        cast(null as {{ timestamp_type() }}) as first_response_due_at_reported,
        cast(null as {{ timestamp_type() }}) as resolution_due_at_reported,
        cast(null as bigint) as first_response_seconds_reported,
        cast(null as bigint) as first_response_business_seconds_reported,
        cast(null as bigint) as resolution_seconds_reported,
        cast(null as bigint) as resolution_business_seconds_reported,
        cast(threads.first_response_sla_status as varchar) as first_response_sla_status_reported,
        cast(null as bigint) as touches,
        cast(null as bigint) as tag_count,
        cast(threads.record_hash as varchar) as record_hash,
        cast(threads.date_to_warehouse as {{ timestamp_type() }}) as read_at,
        cast(threads.source_file as varchar) as source_file,
        cast(threads.batch_id as varchar) as batch_id,
        cast(threads.pipeline_run_id as varchar) as pipeline_run_id,
        cast(threads.deleted_at as {{ timestamp_type() }}) as deleted_at
    from threads
    left join customers
        on threads.customer_id = customers.id
    left join companies
        on threads.company_id = companies.id
    left join tenants
        on threads.tenant_id = tenants.id
    left join merged_threads
        on threads.id = merged_threads.thread_id
    left join applied_links
        on threads.id = applied_links.thread_id

),

unioned as (

    select * from pylon
    union all
    select * from plain

),

final as (

    select
        cast({{ surrogate_key(['unioned.support_system', 'unioned.ticket_id']) }} as varchar) as ticket_key,
        unioned.*,
        cast(unioned.exclusion_rule is null as boolean) as is_counted,
        cast(case
            when unioned.source_channel is null then 'unknown'
            else coalesce(channel_map.channel, 'other')
        end as varchar) as channel
    from unioned
    left join channel_map
        on
            unioned.support_system = channel_map.support_system
            and lower(trim(unioned.source_channel)) = channel_map.source_channel

)

select * from final
