{#-
    Every time a ticket was open, from its creation or reopening to its closing. The first closing is its first
    resolution, the last one its total resolution if it is closed now; each later episode is a reopening, whether it has
    ended yet or not.

    source_category: 1 (a source of our own team only; nobody else's agents appear in it)
    xo_filter_strategy: none (an episode is the ticket's, not an agent's)
    join_key: ticket_key
-#}
with states as (

    select * from {{ ref('fct_def_ticket_states') }}

),

business_calendar as (

    select * from {{ ref('dim_business_calendar') }}

),

compared as (

    select
        *,
        coalesce(
            lag(is_open) over (partition by ticket_key order by run_number), false
        ) as was_open,
        lead(started_at) over (partition by ticket_key order by run_number) as next_at,
        lead(started_date) over (partition by ticket_key order by run_number) as next_date,
        min(started_at) over (partition by ticket_key) as created_at
    from states

),

counted as (

    select
        *,
        sum(case when is_open and not was_open then 1 else 0 end) over (
            partition by ticket_key
            order by run_number
            rows between unbounded preceding and current row
        ) as episode_number
    from compared

),

-- The last stretch of an episode ends with what follows it: its closing, seen at once or after a deletion taken back.
open_runs as (

    select
        *,
        row_number() over (partition by ticket_key, episode_number order by run_number desc) as runs_left
    from counted
    where is_open

),

episodes as (

    select
        ticket_key,
        support_system,
        ticket_id,
        account_id,
        channel,
        is_deleted,
        created_at,
        episode_number,
        max(case when is_reopening then 1 else 0 end) as reopenings,
        min(started_at) as opened_at,
        min(started_date) as opened_date,
        max(case when runs_left = 1 then coalesce(next_at, ended_at) end) as ended_at,
        max(case when runs_left = 1 then coalesce(next_date, ended_date) end) as ended_date,
        max(case
            when runs_left = 1 and next_at is not null then 'state changed'
            when runs_left = 1 then ended_how
        end) as ended_how,
        max(case when runs_left = 1 then source_file end) as source_file,
        max(case when runs_left = 1 then batch_id end) as batch_id,
        max(case when runs_left = 1 then pipeline_run_id end) as pipeline_run_id
    from open_runs
    group by ticket_key, support_system, ticket_id, account_id, channel, is_deleted, created_at, episode_number

),

measured as (

    select
        episodes.*,
        case when episodes.ended_how = 'state changed' then episodes.ended_at end as closed_at,
        {{ business_seconds_between('opened', 'episodes.opened_at', 'ended', 'episodes.ended_at') }}
            as open_business_seconds,
        {{ business_seconds_between('created', 'episodes.created_at', 'ended', 'episodes.ended_at') }}
            as total_business_seconds
    from episodes
    left join business_calendar as created
        on {{ in_business_stretch('created', "'def'", 'episodes.created_at') }}
    left join business_calendar as opened
        on {{ in_business_stretch('opened', "'def'", 'episodes.opened_at') }}
    left join business_calendar as ended
        on {{ in_business_stretch('ended', "'def'", 'episodes.ended_at') }}

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['ticket_key', 'episode_number']) }} as varchar) as ticket_episode_key,

        -- ids
        cast(ticket_key as varchar) as ticket_key,
        cast(support_system as varchar) as support_system,
        cast(ticket_id as varchar) as ticket_id,
        cast(account_id as varchar) as account_id,

        -- strings
        cast(channel as varchar) as channel,
        cast(case ended_how when 'state changed' then 'closed' else ended_how end as varchar) as ended_how,

        -- booleans
        cast(reopenings > 0 as boolean) as is_reopening,
        cast(ended_at is null as boolean) as is_current,
        cast(is_deleted as boolean) as is_deleted,

        -- timestamps, UTC
        cast(opened_at as {{ timestamp_type() }}) as opened_at,
        cast(closed_at as {{ timestamp_type() }}) as closed_at,
        cast(ended_at as {{ timestamp_type() }}) as ended_at,

        -- dates, in the reporting zone
        cast(opened_date as date) as opened_date,
        cast(case when closed_at is not null then ended_date end as date) as closed_date,
        cast(ended_date as date) as ended_date,

        -- measures
        cast(episode_number as bigint) as episode_number,
        cast({{ seconds_between('opened_at', 'ended_at') }} as bigint) as open_calendar_seconds,
        cast(open_business_seconds as bigint) as open_business_seconds,
        cast({{ seconds_between('created_at', 'closed_at') }} as bigint) as resolution_calendar_seconds,
        cast(case when closed_at is not null then total_business_seconds end as bigint) as resolution_business_seconds,

        -- lineage
        cast(source_file as varchar) as source_file,
        cast(batch_id as varchar) as batch_id,
        cast(pipeline_run_id as varchar) as pipeline_run_id
    from measured

)

select * from final
