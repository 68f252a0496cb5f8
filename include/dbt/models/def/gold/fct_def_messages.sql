{#-
    Messages and private notes of tickets that count, one row each.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (customers and bots write too; agents are told apart by is_support_agent)
    join_key: author_id
-#}
{%- set zone = reporting_timezone('def_bronze') -%}

with messages as (

    select *
    from {{ ref('int_def_messages_unioned') }}
    where is_counted

),

agents as (

    select * from {{ ref('int_def_agents') }}

),

dated as (

    select
        messages.*,
        {{ date_in_zone('messages.sent_at', zone) }} as sent_date
    from messages

),

final as (

    select
        -- surrogate key
        dated.message_key,

        -- ids
        dated.ticket_key,
        dated.support_system,
        dated.message_id,
        dated.ticket_id,
        dated.author_id,
        cast(agents.eid as varchar) as eid,

        -- strings
        dated.channel,
        dated.author_kind,
        dated.message_kind,
        cast({{ tenure_bucket('agents.hire_date', 'dated.sent_date') }} as varchar) as tenure_bucket,
        cast(agents.wave_period as varchar) as wave_period,

        -- booleans
        dated.is_private,
        cast(coalesce(agents.is_support_agent, false) as boolean) as is_support_agent,

        -- timestamps, UTC
        dated.sent_at,

        -- dates, in the reporting zone
        dated.sent_date,

        -- lineage
        dated.source_file,
        dated.batch_id,
        dated.pipeline_run_id
    from dated
    left join agents
        on
            dated.support_system = agents.support_system
            and dated.author_id = agents.user_id
            and dated.author_kind = 'agent'

)

select * from final
