{#-
    How long each ticket took: first response, resolution, waiting and time in state, in calendar and business seconds,
    and its service clocks. A fact of its own beside fct_def_tickets, because what it measures comes out of messages and
    states, which are facts over the tickets themselves.

    First response is the first public message of a person on the team (a bot's and the vendor's own reading beside it).
    Service clocks run from the creation and never pause. What a clock is held to is the priority at the instant it
    stopped, and the present one while it runs; without a priority there is no target. A table does not know what time it
    is when it is read, so it holds the instants at which a clock becomes at risk and due, and no status.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (a clock is the ticket's, not an agent's)
    join_key: ticket_key
-#}
{%- set zone = reporting_timezone('def_bronze') -%}
{%- set measured_spans = ['first_response', 'any_response', 'resolution', 'first_resolution'] -%}

with tickets as (

    select * from {{ ref('fct_def_tickets') }}

),

messages as (

    select * from {{ ref('int_def_messages_said') }}

),

replies as (

    select * from {{ ref('fct_def_replies') }}

),

states as (

    select * from {{ ref('fct_def_ticket_states') }}

),

episodes as (

    select * from {{ ref('fct_def_ticket_episodes') }}

),

issue_versions as (

    select * from {{ ref('def_pylon_issues_versions') }}

),

entries as (

    select * from {{ ref('def_plain_timeline_entries') }}

),

sla_targets as (

    select * from {{ ref('dim_sla_target_def') }}

),

business_calendar as (

    select * from {{ ref('dim_business_calendar') }}

),

deadline_stretches as (

    {{ business_deadline_stretches() }}

),

responses as (

    select
        ticket_key,
        min(case when is_public and author_kind = 'agent' then sent_at end) as first_response_at,
        min(case when is_public and author_kind in ('agent', 'bot') then sent_at end) as any_response_at,
        min(case when is_public and author_kind = 'agent' and not is_deleted then sent_at end)
            as first_kept_response_at,
        min(case when is_public and author_kind = 'customer' then sent_at end) as first_customer_message_at,
        count(case when is_public and author_kind = 'agent' then 1 end) as agent_responses,
        count(*) as messages_held
    from messages
    group by ticket_key

),

-- Whether what the vendor calls the first response is a message of the team that we hold.
reported_responses as (

    select distinct tickets.ticket_key
    from tickets
    inner join messages
        on
            tickets.ticket_key = messages.ticket_key
            and tickets.first_response_at_reported = messages.sent_at
    where messages.is_public and messages.author_kind in ('agent', 'bot')

),

waits as (

    select
        ticket_key,
        count(*) as waits,
        sum(case when is_answered then 1 else 0 end) as waits_answered,
        sum(wait_calendar_seconds) as customer_waiting_calendar_seconds,
        sum(wait_business_seconds) as customer_waiting_business_seconds,
        max(case when wait_outcome = 'waiting' then wait_started_at end) as waiting_since
    from replies
    group by ticket_key

),

times_in_state as (

    select
        ticket_key,
        sum(case when state = 'new' then business_seconds end) as new_business_seconds,
        sum(case when state = 'waiting_on_you' then business_seconds end) as waiting_on_us_business_seconds,
        sum(case when state = 'waiting_on_customer' then business_seconds end)
            as waiting_on_customer_business_seconds,
        sum(case when state = 'on_hold' then business_seconds end) as on_hold_business_seconds,
        sum(case when state = 'unobserved' then business_seconds end) as unobserved_business_seconds,
        max(case when is_current then state end) as current_state,
        max(case when is_current then started_at end) as current_state_since
    from states
    group by ticket_key

),

openings as (

    select
        ticket_key,
        sum(case when is_reopening then 1 else 0 end) as reopenings,
        min(closed_at) as first_closed_at
    from episodes
    group by ticket_key

),

resolutions as (

    select
        tickets.ticket_key,
        tickets.resolved_at as resolution_at,
        coalesce(tickets.first_resolved_at_reported, openings.first_closed_at) as first_resolution_at
    from tickets
    left join openings
        on tickets.ticket_key = openings.ticket_key

),

-- Which priority was in force when. What holds before the first we know of: the same in Pylon, and in Plain what the
-- first change says was before it.
priority_changes as (

    select
        {{ surrogate_key(["'pylon'", 'id']) }} as ticket_key,
        lower(priority) as priority,
        case
            when row_number() over (partition by id order by updated_at, record_key) > 1 then updated_at
            else cast('0001-01-01' as {{ timestamp_type() }})
        end as changed_at,
        record_key as change_id
    from issue_versions
    union all
    select
        {{ surrogate_key(["'plain'", 'thread_id']) }} as ticket_key,
        {{ plain_priority('next_priority') }} as priority,
        occurred_at as changed_at,
        id as change_id
    from entries
    where entry_kind = 'ThreadPriorityChangedEntry'
    union all
    select
        {{ surrogate_key(["'plain'", 'thread_id']) }} as ticket_key,
        {{ plain_priority('previous_priority') }} as priority,
        cast('0001-01-01' as {{ timestamp_type() }}) as changed_at,
        id as change_id
    from entries
    where entry_kind = 'ThreadPriorityChangedEntry'
    qualify row_number() over (partition by thread_id order by occurred_at, id) = 1

),

priorities as (

    select
        ticket_key,
        priority,
        changed_at as valid_from,
        coalesce(
            lead(changed_at) over (partition by ticket_key order by changed_at, change_id),
            cast('9999-01-01' as {{ timestamp_type() }})
        ) as valid_until
    from priority_changes

),

clocks as (

    select
        tickets.ticket_key,
        tickets.created_at,
        tickets.priority as current_priority,
        'first_response' as clock,
        responses.first_response_at as stopped_at
    from tickets
    left join responses
        on tickets.ticket_key = responses.ticket_key
    union all
    select
        tickets.ticket_key,
        tickets.created_at,
        tickets.priority as current_priority,
        'resolution' as clock,
        resolutions.resolution_at as stopped_at
    from tickets
    left join resolutions
        on tickets.ticket_key = resolutions.ticket_key

),

held_to as (

    select
        clocks.*,
        case
            when clocks.stopped_at is null or priorities.ticket_key is null then clocks.current_priority
            else priorities.priority
        end as priority
    from clocks
    left join priorities
        on
            clocks.ticket_key = priorities.ticket_key
            and clocks.stopped_at >= priorities.valid_from
            and clocks.stopped_at < priorities.valid_until

),

targeted as (

    select
        held_to.*,
        sla_targets.calendar,
        case held_to.clock
            when 'first_response' then sla_targets.first_response_target_seconds
            else sla_targets.resolution_target_seconds
        end as target_seconds
    from held_to
    left join sla_targets
        on
            held_to.priority = sla_targets.priority
            and cast(held_to.created_at as date) >= sla_targets.valid_from
            and cast(held_to.created_at as date) < coalesce(sla_targets.valid_to, cast('9999-01-01' as date))

),

levelled as (

    select
        targeted.*,
        {{ business_level('created', 'targeted.created_at', 'targeted.target_seconds') }} as due_level,
        {{ business_level('created', 'targeted.created_at', 'floor(targeted.target_seconds * 0.75)') }}
            as at_risk_level
    from targeted
    left join business_calendar as created
        on {{ in_business_stretch('created', 'targeted.calendar', 'targeted.created_at') }}

),

dated as (

    select
        levelled.*,
        {{ business_deadline('due', 'levelled.due_level') }} as due_at,
        {{ business_deadline('risky', 'levelled.at_risk_level') }} as at_risk_at
    from levelled
    left join deadline_stretches as due
        on {{ in_deadline_stretch('due', 'levelled.calendar', 'levelled.due_level') }}
    left join deadline_stretches as risky
        on {{ in_deadline_stretch('risky', 'levelled.calendar', 'levelled.at_risk_level') }}

),

service as (

    select
        {% for clock in ['first_response', 'resolution'] %}
            max(case when clock = '{{ clock }}' then priority end) as {{ clock }}_priority,
            max(case when clock = '{{ clock }}' then target_seconds end) as {{ clock }}_target_seconds,
            max(case when clock = '{{ clock }}' then at_risk_at end) as {{ clock }}_at_risk_at,
            max(case when clock = '{{ clock }}' then due_at end) as {{ clock }}_due_at,
        {% endfor %}
        ticket_key
    from dated
    group by ticket_key

),

spans as (

    select
        tickets.*,
        responses.first_response_at,
        responses.any_response_at,
        responses.first_kept_response_at,
        responses.first_customer_message_at,
        coalesce(responses.agent_responses, 0) as agent_responses,
        coalesce(responses.messages_held, 0) as messages_held,
        resolutions.resolution_at,
        resolutions.first_resolution_at
    from tickets
    left join responses
        on tickets.ticket_key = responses.ticket_key
    left join resolutions
        on tickets.ticket_key = resolutions.ticket_key

),

measured as (

    select
        {% for span in measured_spans %}
            {{ business_seconds_between('created', 'spans.created_at', span, 'spans.' ~ span ~ '_at') }}
                as {{ span }}_business_seconds,
        {% endfor %}
        {{ business_seconds_between(
            'asked', 'spans.first_customer_message_at', 'first_response', 'spans.first_response_at'
        ) }} as first_response_from_question_business_seconds,
        {{ business_seconds_between(
            'vendor_created', 'spans.created_at', 'vendor_responded', 'spans.first_response_at_reported'
        ) }} as first_response_business_seconds_by_vendor_hours,
        {{ business_seconds_between(
            'vendor_created', 'spans.created_at', 'vendor_resolved', 'spans.resolution_at'
        ) }} as resolution_business_seconds_by_vendor_hours,
        spans.*
    from spans
    left join business_calendar as created
        on {{ in_business_stretch('created', "'def'", 'spans.created_at') }}
    {% for span in measured_spans %}
        left join business_calendar as {{ span }}
            on {{ in_business_stretch(span, "'def'", 'spans.' ~ span ~ '_at') }}
    {% endfor %}
    left join business_calendar as asked
        on {{ in_business_stretch('asked', "'def'", 'spans.first_customer_message_at') }}
    left join business_calendar as vendor_created
        on {{ in_business_stretch('vendor_created', "'def_vendor'", 'spans.created_at') }}
    left join business_calendar as vendor_responded
        on {{ in_business_stretch('vendor_responded', "'def_vendor'", 'spans.first_response_at_reported') }}
    left join business_calendar as vendor_resolved
        on {{ in_business_stretch('vendor_resolved', "'def_vendor'", 'spans.resolution_at') }}

),

final as (

    select
        -- key
        cast(measured.ticket_key as varchar) as ticket_key,

        -- ids
        cast(measured.support_system as varchar) as support_system,
        cast(measured.ticket_id as varchar) as ticket_id,
        cast(measured.account_id as varchar) as account_id,
        cast(measured.assignee_id as varchar) as assignee_id,

        -- strings
        cast(measured.channel as varchar) as channel,
        cast(service.first_response_priority as varchar) as first_response_priority,
        cast(service.resolution_priority as varchar) as resolution_priority,
        cast(times_in_state.current_state as varchar) as current_state,

        -- booleans
        cast(measured.resolution_at is null as boolean) as is_open,
        cast(
            measured.resolution_at is not null and measured.agent_responses > 0 as boolean
        ) as is_first_contact_eligible,
        cast(
            measured.resolution_at is not null
            and measured.agent_responses > 0
            and coalesce(waits.waits, 0) <= 1
            and coalesce(openings.reopenings, 0) = 0 as boolean
        ) as is_first_contact_resolved,
        cast(
            case
                when service.first_response_due_at is not null
                    then measured.first_response_at < service.first_response_due_at
            end as boolean
        ) as is_first_response_in_time,
        cast(
            case when service.resolution_due_at is not null then measured.resolution_at < service.resolution_due_at end
            as boolean
        ) as is_resolution_in_time,
        cast(reported_responses.ticket_key is not null as boolean) as is_reported_response_held,

        -- timestamps, UTC
        cast(measured.created_at as {{ timestamp_type() }}) as created_at,
        cast(measured.first_customer_message_at as {{ timestamp_type() }}) as first_customer_message_at,
        cast(measured.first_response_at as {{ timestamp_type() }}) as first_response_at,
        cast(measured.first_kept_response_at as {{ timestamp_type() }}) as first_kept_response_at,
        cast(measured.any_response_at as {{ timestamp_type() }}) as any_response_at,
        cast(measured.first_response_at_reported as {{ timestamp_type() }}) as first_response_at_reported,
        cast(measured.first_resolution_at as {{ timestamp_type() }}) as first_resolution_at,
        cast(measured.resolution_at as {{ timestamp_type() }}) as resolution_at,
        cast(waits.waiting_since as {{ timestamp_type() }}) as waiting_since,
        cast(times_in_state.current_state_since as {{ timestamp_type() }}) as current_state_since,
        cast(service.first_response_at_risk_at as {{ timestamp_type() }}) as first_response_at_risk_at,
        cast(service.first_response_due_at as {{ timestamp_type() }}) as first_response_due_at,
        cast(service.resolution_at_risk_at as {{ timestamp_type() }}) as resolution_at_risk_at,
        cast(service.resolution_due_at as {{ timestamp_type() }}) as resolution_due_at,

        -- dates, in the reporting zone
        {{ date_in_zone('measured.first_response_at', zone) }} as first_response_date,
        {{ date_in_zone('measured.any_response_at', zone) }} as any_response_date,
        {{ date_in_zone('measured.first_resolution_at', zone) }} as first_resolution_date,
        {{ date_in_zone('measured.resolution_at', zone) }} as resolution_date,

        -- measures
        {% for span in measured_spans %}
            cast({{ seconds_between('measured.created_at', 'measured.' ~ span ~ '_at') }} as bigint)
                as {{ span }}_calendar_seconds,
            cast(measured.{{ span }}_business_seconds as bigint) as {{ span }}_business_seconds,
        {% endfor %}
        cast(measured.first_response_from_question_business_seconds as bigint)
            as first_response_from_question_business_seconds,
        cast(measured.first_response_seconds_reported as bigint) as first_response_seconds_reported,
        cast(measured.first_response_business_seconds_reported as bigint) as first_response_business_seconds_reported,
        cast(measured.first_response_business_seconds_by_vendor_hours as bigint)
            as first_response_business_seconds_by_vendor_hours,
        cast(measured.resolution_seconds_reported as bigint) as resolution_seconds_reported,
        cast(measured.resolution_business_seconds_reported as bigint) as resolution_business_seconds_reported,
        cast(measured.resolution_business_seconds_by_vendor_hours as bigint)
            as resolution_business_seconds_by_vendor_hours,
        cast(service.first_response_target_seconds as bigint) as first_response_target_seconds,
        cast(service.resolution_target_seconds as bigint) as resolution_target_seconds,
        cast(measured.messages_held as bigint) as messages_held,
        cast(measured.agent_responses as bigint) as agent_responses,
        cast(coalesce(waits.waits, 0) as bigint) as customer_waits,
        cast(coalesce(waits.waits_answered, 0) as bigint) as customer_waits_answered,
        cast(coalesce(waits.customer_waiting_calendar_seconds, 0) as bigint) as customer_waiting_calendar_seconds,
        cast(coalesce(waits.customer_waiting_business_seconds, 0) as bigint) as customer_waiting_business_seconds,
        cast(coalesce(openings.reopenings, 0) as bigint) as reopenings,
        cast(coalesce(times_in_state.new_business_seconds, 0) as bigint) as new_business_seconds,
        cast(coalesce(times_in_state.waiting_on_us_business_seconds, 0) as bigint) as waiting_on_us_business_seconds,
        cast(coalesce(times_in_state.waiting_on_customer_business_seconds, 0) as bigint)
            as waiting_on_customer_business_seconds,
        cast(coalesce(times_in_state.on_hold_business_seconds, 0) as bigint) as on_hold_business_seconds,
        cast(coalesce(times_in_state.unobserved_business_seconds, 0) as bigint) as unobserved_business_seconds,

        -- lineage
        cast(measured.source_file as varchar) as source_file,
        cast(measured.batch_id as varchar) as batch_id,
        cast(measured.pipeline_run_id as varchar) as pipeline_run_id
    from measured
    left join service
        on measured.ticket_key = service.ticket_key
    left join reported_responses
        on measured.ticket_key = reported_responses.ticket_key
    left join waits
        on measured.ticket_key = waits.ticket_key
    left join openings
        on measured.ticket_key = openings.ticket_key
    left join times_in_state
        on measured.ticket_key = times_in_state.ticket_key

)

select * from final
