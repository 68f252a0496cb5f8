{#-
    Every time a customer waited for an answer: from their first message that nobody had answered to the next public
    message of a person on the team. What a bot said meanwhile does not end the wait; when it said it is beside. A wait
    nobody has ended yet is open.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (a wait counts whoever ended it)
    join_key: responder_id (who wrote the answer) and assignee_id (who held the ticket then): both are credited
-#}
{%- set zone = reporting_timezone('def_bronze') -%}

with tickets as (

    select * from {{ ref('fct_def_tickets') }}

),

messages as (

    select * from {{ ref('int_def_messages_said') }}

),

agents as (

    select * from {{ ref('int_def_agents') }}

),

issue_versions as (

    select * from {{ ref('def_pylon_issues_versions') }}

),

entries as (

    select * from {{ ref('def_plain_timeline_entries') }}

),

business_calendar as (

    select * from {{ ref('dim_business_calendar') }}

),

-- All that lies between two answers of people has the same number of answers before it.
spoken as (

    select
        messages.*,
        messages.is_public and messages.author_kind = 'customer' as is_question,
        messages.is_public and messages.author_kind = 'agent' as is_answer,
        count(case when messages.is_public and messages.author_kind = 'agent' then 1 end) over (
            partition by messages.ticket_key
            order by messages.sent_at, case messages.author_kind when 'customer' then 1 else 2 end, messages.message_id
            rows between unbounded preceding and 1 preceding
        ) as answers_before
    from messages
    inner join tickets
        on messages.ticket_key = tickets.ticket_key

),

asked as (

    select
        *,
        min(case when is_question then sent_at end) over (partition by ticket_key, answers_before) as wait_started_at
    from spoken

),

waits as (

    select
        ticket_key,
        answers_before,
        wait_started_at,
        min(case when is_answer then sent_at end) as answered_at,
        min(case when is_answer then message_id end) as answer_id,
        min(case when is_answer then author_id end) as responder_id,
        min(case when is_public and author_kind = 'bot' then sent_at end) as bot_replied_at,
        min(case when not is_public then sent_at end) as first_note_at,
        count(case when is_question then 1 end) as customer_messages,
        count(case when is_public and author_kind = 'bot' then 1 end) as bot_replies,
        count(case when not is_public then 1 end) as notes,
        min(case when is_question and sent_at = wait_started_at then message_id end) as question_id
    from asked
    where sent_at >= wait_started_at
    group by ticket_key, answers_before, wait_started_at

),

numbered as (

    select
        *,
        row_number() over (partition by ticket_key order by answers_before) as wait_number
    from waits

),

-- Who held the ticket when: Plain tells every change, of Pylon we know the versions that were read.
assignments as (

    select
        {{ surrogate_key(["'pylon'", 'id']) }} as ticket_key,
        assignee_id,
        updated_at as assigned_at,
        record_key as assignment_id
    from issue_versions
    union all
    select
        {{ surrogate_key(["'plain'", 'thread_id']) }} as ticket_key,
        next_assignee_id as assignee_id,
        occurred_at as assigned_at,
        id as assignment_id
    from entries
    where entry_kind = 'ThreadAssignmentTransitionedEntry'

),

-- Before the first we know of it is taken to have been the same in Pylon, where that is the first version read.
holders as (

    select
        ticket_key,
        assignee_id,
        assigned_at as held_from,
        lead(assigned_at) over (partition by ticket_key order by assigned_at, assignment_id) as held_until
    from assignments
    union all
    select
        {{ surrogate_key(["'pylon'", 'id']) }} as ticket_key,
        assignee_id,
        cast('0001-01-01' as {{ timestamp_type() }}) as held_from,
        updated_at as held_until
    from issue_versions
    qualify row_number() over (partition by id order by updated_at, record_key) = 1

),

measured as (

    select
        numbered.*,
        tickets.support_system,
        tickets.ticket_id,
        tickets.account_id,
        tickets.channel,
        tickets.created_at,
        tickets.resolved_at,
        coalesce(holders.assignee_id, case when numbered.answered_at is null then tickets.assignee_id end)
            as assignee_id,
        case
            when numbered.bot_replied_at < numbered.answered_at or numbered.answered_at is null
                then numbered.bot_replied_at
            else numbered.answered_at
        end as any_reply_at,
        {{ business_seconds_between('asked', 'numbered.wait_started_at', 'answered', 'numbered.answered_at') }}
            as wait_business_seconds
    from numbered
    inner join tickets
        on numbered.ticket_key = tickets.ticket_key
    left join holders
        on
            numbered.ticket_key = holders.ticket_key
            and numbered.answered_at >= holders.held_from
            and numbered.answered_at < coalesce(holders.held_until, cast('9999-01-01' as {{ timestamp_type() }}))
    left join business_calendar as asked
        on {{ in_business_stretch('asked', "'def'", 'numbered.wait_started_at') }}
    left join business_calendar as answered
        on {{ in_business_stretch('answered', "'def'", 'numbered.answered_at') }}

),

sourced as (

    select
        measured.*,
        responders.eid,
        assignees.eid as assignee_eid,
        responders.is_support_agent,
        assignees.is_support_agent as is_assignee_support_agent,
        responders.hire_date,
        responders.wave_period,
        {{ date_in_zone('measured.wait_started_at', zone) }} as wait_started_date,
        {{ date_in_zone('measured.answered_at', zone) }} as answered_date,
        said.source_file,
        said.batch_id,
        said.pipeline_run_id
    from measured
    left join spoken as said
        on
            measured.ticket_key = said.ticket_key
            and coalesce(measured.answer_id, measured.question_id) = said.message_id
    left join agents as responders
        on
            measured.support_system = responders.support_system
            and measured.responder_id = responders.user_id
    left join agents as assignees
        on
            measured.support_system = assignees.support_system
            and measured.assignee_id = assignees.user_id

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['ticket_key', 'wait_number']) }} as varchar) as reply_key,

        -- ids
        cast(ticket_key as varchar) as ticket_key,
        cast(support_system as varchar) as support_system,
        cast(ticket_id as varchar) as ticket_id,
        cast(account_id as varchar) as account_id,
        cast(responder_id as varchar) as responder_id,
        cast(eid as varchar) as eid,
        cast(assignee_id as varchar) as assignee_id,
        cast(assignee_eid as varchar) as assignee_eid,

        -- strings
        cast(channel as varchar) as channel,
        cast(case
            when answered_at is not null then 'answered'
            when resolved_at >= wait_started_at then 'closed'
            else 'waiting'
        end as varchar) as wait_outcome,
        cast({{ tenure_bucket('hire_date', 'answered_date') }} as varchar) as tenure_bucket,
        cast(wave_period as varchar) as wave_period,

        -- booleans
        cast(answered_at is not null as boolean) as is_answered,
        cast(coalesce(responder_id = assignee_id, false) as boolean) as is_answered_by_assignee,
        cast(wait_number = 1 and answers_before = 0 as boolean) as is_first_answer,
        cast(bot_replies > 0 as boolean) as has_bot_reply,
        cast(notes > 0 as boolean) as has_private_note,
        cast(coalesce(is_support_agent, false) as boolean) as is_support_agent,
        cast(coalesce(is_assignee_support_agent, false) as boolean) as is_assignee_support_agent,

        -- timestamps, UTC
        cast(wait_started_at as {{ timestamp_type() }}) as wait_started_at,
        cast(answered_at as {{ timestamp_type() }}) as answered_at,
        cast(any_reply_at as {{ timestamp_type() }}) as any_reply_at,
        cast(bot_replied_at as {{ timestamp_type() }}) as bot_replied_at,
        cast(first_note_at as {{ timestamp_type() }}) as first_note_at,

        -- dates, in the reporting zone
        cast(wait_started_date as date) as wait_started_date,
        cast(answered_date as date) as answered_date,

        -- measures
        cast(wait_number as bigint) as wait_number,
        cast(customer_messages as bigint) as customer_messages,
        cast(bot_replies as bigint) as bot_replies,
        cast(notes as bigint) as notes,
        cast({{ seconds_between('wait_started_at', 'answered_at') }} as bigint) as wait_calendar_seconds,
        cast(wait_business_seconds as bigint) as wait_business_seconds,
        cast({{ seconds_between('wait_started_at', 'any_reply_at') }} as bigint) as any_reply_calendar_seconds,

        -- lineage
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from sourced

)

select * from final
