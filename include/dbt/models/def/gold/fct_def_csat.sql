{#-
    Answers to satisfaction surveys, one row each. An answer is credited to the agent who holds the ticket.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (an answer counts whoever held the ticket; agents are told apart by is_support_agent)
    join_key: assignee_id
-#}
{%- set zone = reporting_timezone('def_bronze') -%}

with answers as (

    select *
    from {{ ref('int_def_survey_answers') }}
    where is_counted

),

agents as (

    select * from {{ ref('int_def_agents') }}

),

dated as (

    select
        answers.*,
        {{ date_in_zone('answers.answered_at', zone) }} as answered_date
    from answers

),

final as (

    select
        -- surrogate key
        dated.csat_key,

        -- ids
        dated.support_system,
        dated.response_id,
        dated.ticket_id,
        dated.ticket_key,
        dated.assignee_id,
        cast(agents.eid as varchar) as eid,

        -- strings
        dated.channel,
        cast({{ tenure_bucket('agents.hire_date', 'dated.answered_date') }} as varchar) as tenure_bucket,
        cast(agents.wave_period as varchar) as wave_period,

        -- booleans
        cast(coalesce(agents.is_support_agent, false) as boolean) as is_support_agent,

        -- timestamps, UTC
        dated.answered_at,

        -- dates, in the reporting zone
        dated.answered_date,

        -- measures
        dated.score,

        -- lineage
        dated.source_file,
        dated.batch_id,
        dated.pipeline_run_id
    from dated
    left join agents
        on
            dated.support_system = agents.support_system
            and dated.assignee_id = agents.user_id

)

select * from final
