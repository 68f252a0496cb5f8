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

survey_answers as (

    select * from {{ ref('int_def_survey_answers') }}

),

qa_reviews as (

    select * from {{ ref('int_def_qa_reviews_ruled') }}

),

agent_days as (

    select * from {{ ref('def_wfm_agent_days') }}

),

employees as (

    select * from {{ ref('dim_employee_def') }}

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
    union all
    select
        'survey_response' as object,
        support_system,
        response_id as record_id,
        ticket_id,
        channel,
        exclusion_rule,
        null as counted_under_id,
        deleted_at,
        source_file,
        batch_id,
        pipeline_run_id
    from survey_answers
    where not is_counted
    union all
    select
        'qa_review' as object,
        support_system,
        review_id as record_id,
        ticket_id,
        channel_formatted as channel,
        exclusion_rule,
        null as counted_under_id,
        deleted_at,
        source_file,
        batch_id,
        pipeline_run_id
    from qa_reviews
    where exclusion_rule is not null
    union all
    select
        'agent_day' as object,
        null as support_system,
        agent_days.record_key as record_id,
        null as ticket_id,
        null as channel,
        case when agent_days.is_deleted then 'deleted' else 'not_on_roster' end as exclusion_rule,
        null as counted_under_id,
        agent_days.deleted_at,
        agent_days.source_file,
        agent_days.batch_id,
        agent_days.pipeline_run_id
    from agent_days
    left join employees
        on agent_days.employee_id = employees.eid
    where employees.eid is null or agent_days.is_deleted

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
