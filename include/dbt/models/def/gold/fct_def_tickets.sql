{#-
    Support tickets of client def, one row each.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (a ticket counts whoever holds it; agents are told apart by is_support_agent)
    join_key: assignee_id
-#}
{%- set zone = reporting_timezone('def_bronze') -%}

with issues as (

    select * from {{ ref('def_pylon_issues') }}

),

channel_map as (

    select * from {{ ref('core_channel_map') }}

),

-- A deleted ticket never counts; it stays in Silver.
tickets as (

    select
        'pylon' as support_system,
        issues.*
    from issues
    where not issues.is_deleted

),

-- The slugs of custom fields are written by hand in the vendor's settings, so their case varies.
normalised as (

    select
        tickets.*,
        lower(tickets.priority) as priority_normalised,
        lower(tickets.category) as category_normalised,
        lower(tickets.handler) as handler_normalised,
        lower(tickets.resolution_type) as resolution_type_normalised,
        lower(tickets.self_servable) as self_servable_normalised,
        case
            when tickets.state in ('new', 'waiting_on_you', 'waiting_on_customer', 'on_hold', 'closed')
                then tickets.state
            when tickets.state is not null then 'custom'
        end as state_normalised,
        case
            when tickets.source is null then 'unknown'
            else coalesce(channel_map.channel, 'other')
        end as channel
    from tickets
    left join channel_map
        on
            tickets.support_system = channel_map.support_system
            and lower(trim(tickets.source)) = channel_map.source_channel

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['support_system', 'id']) }} as varchar) as ticket_key,

        -- ids
        cast(support_system as varchar) as support_system,
        cast(id as varchar) as ticket_id,
        cast(number as bigint) as ticket_number,
        cast(account_id as varchar) as account_id,
        cast(requester_id as varchar) as requester_id,
        cast(assignee_id as varchar) as assignee_id,
        cast(team_id as varchar) as team_id,

        -- strings
        cast(channel as varchar) as channel,
        cast(source as varchar) as source_channel,
        cast(type as varchar) as ticket_type,
        cast(state_normalised as varchar) as state,
        cast(state as varchar) as source_state,
        cast(priority_normalised as varchar) as priority,
        cast(category_normalised as varchar) as category,
        cast(handler_normalised as varchar) as handler,
        cast(resolution_type_normalised as varchar) as resolution_type,
        cast(self_servable_normalised as varchar) as self_servable,
        cast(link as varchar) as link,

        -- booleans
        cast(resolution_time is not null as boolean) as is_resolved,
        cast(coalesce(is_issue_group, false) as boolean) as is_issue_group,

        -- timestamps, UTC
        cast(created_at as {{ timestamp_type() }}) as created_at,
        cast(updated_at as {{ timestamp_type() }}) as updated_at,
        cast(first_response_time as {{ timestamp_type() }}) as first_response_at_reported,
        cast(resolution_time as {{ timestamp_type() }}) as resolved_at,
        cast(first_resolution_time as {{ timestamp_type() }}) as first_resolved_at_reported,
        cast(latest_message_time as {{ timestamp_type() }}) as latest_message_at,

        -- dates, in the reporting zone
        {{ date_in_zone('created_at', zone) }} as created_date,
        {{ date_in_zone('resolution_time', zone) }} as resolved_date,

        -- measures
        cast({{ seconds_between('created_at', 'resolution_time') }} as bigint) as resolution_calendar_seconds,
        cast(resolution_seconds as bigint) as resolution_seconds_reported,
        cast(business_hours_resolution_seconds as bigint) as resolution_business_seconds_reported,
        cast(first_response_seconds as bigint) as first_response_seconds_reported,
        cast(business_hours_first_response_seconds as bigint) as first_response_business_seconds_reported,
        cast(number_of_touches as bigint) as touches,
        cast({{ array_length('tags') }} as bigint) as tag_count,

        -- lineage
        cast(record_hash as varchar) as record_hash,
        cast(date_to_warehouse as {{ timestamp_type() }}) as read_at,
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from normalised

)

select * from final
