{#-
    Every stretch a ticket spent in one state. Plain's timeline tells each change; of Pylon we know the versions that were
    read, and the instant of its resolution that a closed version carries. What Pylon did between two readings shows only
    as far as the later one still tells it; the time from a ticket's creation to the first we know of is `unobserved`.

    Deleted tickets are here until they were missed, with is_deleted: who asks how many tickets were open on a day gets
    the answer of that day, and can take them out again. A ticket that came back is away from when it was missed to the
    first thing known of it after that; a state it was in meanwhile is cut in two. Every other rule that keeps a ticket out
    keeps it out here too.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (a state is the ticket's, not an agent's)
    join_key: ticket_key
-#}
{%- set zone = reporting_timezone('def_bronze') -%}

with tickets as (

    select *
    from {{ ref('int_def_tickets_unioned') }}
    where is_counted or exclusion_rule = 'deleted'

),

issue_versions as (

    select * from {{ ref('def_pylon_issues_versions') }}

),

issue_statuses as (

    select * from {{ ref('def_pylon_issue_statuses') }}

),

thread_versions as (

    select * from {{ ref('def_plain_threads_versions') }}

),

entries as (

    select * from {{ ref('def_plain_timeline_entries') }}

),

coverage as (

    select * from {{ ref('def_coverage') }}

),

business_calendar as (

    select * from {{ ref('dim_business_calendar') }}

),

issue_states as (

    select
        issue_versions.id as ticket_id,
        issue_versions.updated_at,
        issue_versions.resolution_time,
        issue_versions.state as source_state,
        {{ pylon_state('issue_versions.state', 'issue_statuses.category') }} as state,
        issue_versions.date_to_warehouse as read_at,
        issue_versions.source_file,
        issue_versions.batch_id,
        issue_versions.pipeline_run_id
    from issue_versions
    left join issue_statuses
        on issue_versions.state = issue_statuses.slug

),

observations as (

    select
        'pylon' as support_system,
        ticket_id,
        updated_at as observed_at,
        source_state,
        state,
        'version' as evidence,
        1 as evidence_rank,
        read_at,
        source_file,
        batch_id,
        pipeline_run_id
    from issue_states
    union all
    select
        'pylon' as support_system,
        ticket_id,
        resolution_time as observed_at,
        source_state,
        state,
        'resolution' as evidence,
        2 as evidence_rank,
        read_at,
        source_file,
        batch_id,
        pipeline_run_id
    from issue_states
    where state = 'closed' and resolution_time is not null and resolution_time < updated_at
    union all
    select
        'plain' as support_system,
        thread_id as ticket_id,
        occurred_at as observed_at,
        next_status as source_state,
        {{ plain_state('next_status', 'next_status_detail_kind') }} as state,
        'timeline' as evidence,
        1 as evidence_rank,
        date_to_warehouse as read_at,
        source_file,
        batch_id,
        pipeline_run_id
    from entries
    where entry_kind = 'ThreadStatusTransitionedEntry'
    union all
    select
        'plain' as support_system,
        id as ticket_id,
        status_changed_at as observed_at,
        status as source_state,
        {{ plain_state('status', 'status_detail_kind') }} as state,
        'version' as evidence,
        2 as evidence_rank,
        date_to_warehouse as read_at,
        source_file,
        batch_id,
        pipeline_run_id
    from thread_versions
    union all
    select
        'plain' as support_system,
        ticket_id,
        created_at as observed_at,
        'TODO' as source_state,
        'new' as state,
        'creation' as evidence,
        3 as evidence_rank,
        read_at,
        source_file,
        batch_id,
        pipeline_run_id
    from tickets
    where support_system = 'plain'

),

known as (

    select
        tickets.ticket_key,
        tickets.support_system,
        tickets.ticket_id,
        tickets.account_id,
        tickets.channel,
        tickets.is_deleted,
        tickets.deleted_at,
        tickets.created_at,
        observations.observed_at,
        observations.source_state,
        observations.state,
        observations.evidence,
        observations.source_file,
        observations.batch_id,
        observations.pipeline_run_id
    from observations
    inner join tickets
        on
            observations.support_system = tickets.support_system
            and observations.ticket_id = tickets.ticket_id
    where observations.state is not null
    qualify
        row_number() over (
            partition by tickets.ticket_key, observations.observed_at
            order by observations.evidence_rank asc, observations.read_at desc, observations.source_file desc
        ) = 1

),

-- From its creation to the first we know of it.
unobserved as (

    select
        ticket_key,
        support_system,
        ticket_id,
        account_id,
        channel,
        is_deleted,
        deleted_at,
        created_at,
        created_at as observed_at,
        cast(null as varchar) as source_state,
        'unobserved' as state,
        'none' as evidence,
        cast(null as varchar) as source_file,
        cast(null as varchar) as batch_id,
        cast(null as varchar) as pipeline_run_id
    from known
    qualify
        row_number() over (partition by ticket_key order by observed_at) = 1
        and created_at < observed_at

),

all_known as (

    select * from known
    union all
    select * from unobserved

),

compared as (

    select
        *,
        lag(state) over (partition by ticket_key order by observed_at) as state_before,
        lag(source_state) over (partition by ticket_key order by observed_at) as source_state_before
    from all_known

),

runs as (

    select
        *,
        lead(observed_at) over (partition by ticket_key order by observed_at) as next_at
    from compared
    where state is distinct from state_before or source_state is distinct from source_state_before

),

-- When a ticket that was missed at some time was asked for in vain, and when it is known to have been there: it was
-- read, by itself or as the parent of what was said in it, or it changed.
missed_tickets as (

    select distinct
        tickets.ticket_key,
        tickets.support_system,
        tickets.ticket_id,
        coalesce(tickets.deleted_at, cast('9999-01-01' as {{ timestamp_type() }})) as deleted_at
    from tickets
    inner join coverage
        on
            tickets.ticket_id = coverage.scope
            and coverage.stream = case tickets.support_system
                when 'pylon' then 'pylon_issues' else 'plain_threads'
            end
    where coverage.outcome = 'gone'

),

looks as (

    select
        scope as ticket_id,
        observed_at as looked_at,
        outcome = 'complete' as is_there
    from coverage
    where
        (stream in ('pylon_issues', 'plain_threads') and outcome = 'gone')
        or (stream in ('pylon_messages', 'plain_timeline_entries') and outcome = 'complete')
    union all
    select
        id as ticket_id,
        updated_at as looked_at,
        true as is_there
    from thread_versions
    union all
    select
        ticket_id,
        read_at as looked_at,
        true as is_there
    from observations
    where evidence = 'version'
    union all
    select
        ticket_id,
        observed_at as looked_at,
        true as is_there
    from observations

),

changes as (

    select
        missed_tickets.ticket_key,
        looks.looked_at,
        looks.is_there
    from missed_tickets
    inner join looks
        on missed_tickets.ticket_id = looks.ticket_id
    where looks.looked_at < missed_tickets.deleted_at
    qualify
        looks.is_there is distinct from lag(looks.is_there) over (
            partition by missed_tickets.ticket_key order by looks.looked_at, looks.is_there
        )

),

absences as (

    select
        ticket_key,
        looked_at as missed_at,
        lead(looked_at) over (partition by ticket_key order by looked_at, is_there) as back_at,
        is_there
    from changes

),

-- Whether a ticket is missed at present is Silver's to say.
endings as (

    select
        ticket_key,
        missed_at,
        back_at
    from absences
    where not is_there and back_at is not null
    union all
    select
        ticket_key,
        coalesce(deleted_at, cast('9999-01-01' as {{ timestamp_type() }})) as missed_at,
        cast(null as {{ timestamp_type() }}) as back_at
    from tickets

),

presences as (

    select
        ticket_key,
        coalesce(
            lag(back_at) over (partition by ticket_key order by missed_at),
            cast('0001-01-01' as {{ timestamp_type() }})
        ) as there_from,
        missed_at as there_until
    from endings

),

stretches as (

    select
        runs.*,
        presences.there_from,
        greatest(runs.observed_at, presences.there_from) as started_at,
        case
            when presences.there_until <= runs.next_at then presences.there_until
            when runs.next_at is not null then runs.next_at
            when presences.there_until < cast('9999-01-01' as {{ timestamp_type() }}) then presences.there_until
        end as ended_at,
        case
            when presences.there_until <= runs.next_at then 'deleted'
            when runs.next_at is not null then 'state changed'
            when presences.there_until < cast('9999-01-01' as {{ timestamp_type() }}) then 'deleted'
        end as ended_how
    from runs
    inner join presences
        on runs.ticket_key = presences.ticket_key
    where
        runs.observed_at < presences.there_until
        and (runs.next_at is null or presences.there_from < runs.next_at)

),

numbered as (

    select
        *,
        row_number() over (partition by ticket_key order by started_at) as run_number,
        coalesce(lag(state) over (partition by ticket_key order by started_at) = 'closed', false) as was_closed,
        coalesce(lag(ended_how) over (partition by ticket_key order by started_at) = 'deleted', false) as was_missed
    from stretches

),

measured as (

    select
        numbered.*,
        {{ business_seconds_between('started', 'numbered.started_at', 'finished', 'numbered.ended_at') }}
            as business_seconds
    from numbered
    left join business_calendar as started
        on {{ in_business_stretch('started', "'def'", 'numbered.started_at') }}
    left join business_calendar as finished
        on {{ in_business_stretch('finished', "'def'", 'numbered.ended_at') }}

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['ticket_key', 'run_number']) }} as varchar) as ticket_state_key,

        -- ids
        cast(ticket_key as varchar) as ticket_key,
        cast(support_system as varchar) as support_system,
        cast(ticket_id as varchar) as ticket_id,
        cast(account_id as varchar) as account_id,

        -- strings
        cast(channel as varchar) as channel,
        cast(state as varchar) as state,
        cast(source_state as varchar) as source_state,
        cast(evidence as varchar) as evidence,
        cast(ended_how as varchar) as ended_how,

        -- booleans
        cast(state <> 'closed' as boolean) as is_open,
        cast(state = 'closed' and not was_closed as boolean) as is_closing,
        cast(state <> 'closed' and was_closed as boolean) as is_reopening,
        cast(was_missed and not was_closed as boolean) as is_undeletion,
        cast(ended_at is null as boolean) as is_current,
        cast(is_deleted as boolean) as is_deleted,

        -- timestamps, UTC
        cast(started_at as {{ timestamp_type() }}) as started_at,
        cast(ended_at as {{ timestamp_type() }}) as ended_at,

        -- dates, in the reporting zone
        {{ date_in_zone('started_at', zone) }} as started_date,
        {{ date_in_zone('ended_at', zone) }} as ended_date,

        -- measures
        cast(run_number as bigint) as run_number,
        cast({{ seconds_between('started_at', 'ended_at') }} as bigint) as calendar_seconds,
        cast(business_seconds as bigint) as business_seconds,

        -- lineage
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from measured

)

select * from final
