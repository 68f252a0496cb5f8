{#-
    Every Silver row that a rule keeps out of the facts, so that what is filtered can be counted.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (a row is listed whoever worked on it)
    join_key: record_id
-#}
with tickets as (

    select * from {{ ref('int_def_tickets_unioned') }}

),

messages as (

    select * from {{ ref('int_def_messages_unioned') }}

),

excluded as (

    select
        'ticket' as object,
        support_system,
        ticket_id as record_id,
        ticket_id,
        channel,
        exclusion_rule,
        case exclusion_rule
            when 'linked_to_pylon' then linked_issue_id
            when 'merged' then merged_into_id
        end as counted_under_id,
        deleted_at,
        source_file,
        batch_id,
        pipeline_run_id
    from tickets
    where not is_counted
    union all
    select
        'message' as object,
        support_system,
        message_id as record_id,
        ticket_id,
        channel,
        exclusion_rule,
        null as counted_under_id,
        deleted_at,
        source_file,
        batch_id,
        pipeline_run_id
    from messages
    where not is_counted

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['object', 'support_system', 'record_id']) }} as varchar) as exclusion_key,

        -- ids
        cast(object as varchar) as object,
        cast(support_system as varchar) as support_system,
        cast(record_id as varchar) as record_id,
        cast(ticket_id as varchar) as ticket_id,
        cast(counted_under_id as varchar) as counted_under_id,

        -- strings
        cast(channel as varchar) as channel,
        cast(exclusion_rule as varchar) as exclusion_rule,

        -- timestamps, UTC
        cast(deleted_at as {{ timestamp_type() }}) as deleted_at,

        -- lineage
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from excluded

)

select * from final
