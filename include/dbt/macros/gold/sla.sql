{#-
    The KPI domain "service level". The aggregate holds each ticket's clocks as instants; only the views below know what
    time it is, through now_utc(), so a status is never older than the moment it is read.
-#}
{% macro sla_clock_ticket(client) -%}
with tickets as (

    select * from {{ ref('fct_' ~ client ~ '_tickets') }}

),

clocks as (

    select * from {{ ref('fct_' ~ client ~ '_ticket_clocks') }}

),

final as (

    select
        -- key
        cast(tickets.ticket_key as varchar) as ticket_key,

        -- ids
        cast(tickets.support_system as varchar) as support_system,
        cast(tickets.ticket_id as varchar) as ticket_id,
        cast(tickets.ticket_number as bigint) as ticket_number,
        cast(tickets.account_id as varchar) as account_id,
        cast(tickets.assignee_id as varchar) as assignee_id,
        cast(tickets.eid as varchar) as eid,

        -- strings
        cast(tickets.channel as varchar) as channel,
        cast(tickets.title as varchar) as title,
        cast(tickets.link as varchar) as link,
        cast(tickets.state as varchar) as state,
        cast(tickets.priority as varchar) as priority,
        cast(clocks.first_response_priority as varchar) as first_response_priority,
        cast(clocks.resolution_priority as varchar) as resolution_priority,

        -- booleans
        cast(clocks.is_open as boolean) as is_open,
        cast(clocks.is_reported_response_held as boolean) as is_reported_response_held,

        -- timestamps, UTC
        cast(tickets.created_at as {{ timestamp_type() }}) as created_at,
        cast(tickets.snoozed_until as {{ timestamp_type() }}) as snoozed_until,
        cast(clocks.waiting_since as {{ timestamp_type() }}) as waiting_since,
        cast(clocks.first_customer_message_at as {{ timestamp_type() }}) as first_customer_message_at,
        cast(clocks.first_response_at as {{ timestamp_type() }}) as first_response_at,
        cast(clocks.first_kept_response_at as {{ timestamp_type() }}) as first_kept_response_at,
        cast(clocks.any_response_at as {{ timestamp_type() }}) as any_response_at,
        cast(clocks.first_response_at_reported as {{ timestamp_type() }}) as first_response_at_reported,
        cast(clocks.first_response_at_risk_at as {{ timestamp_type() }}) as first_response_at_risk_at,
        cast(clocks.first_response_due_at as {{ timestamp_type() }}) as first_response_due_at,
        cast(clocks.resolution_at as {{ timestamp_type() }}) as resolution_at,
        cast(clocks.resolution_at_risk_at as {{ timestamp_type() }}) as resolution_at_risk_at,
        cast(clocks.resolution_due_at as {{ timestamp_type() }}) as resolution_due_at,

        -- measures
        cast(clocks.messages_held as bigint) as messages_held,
        cast(clocks.first_response_calendar_seconds as bigint) as first_response_calendar_seconds,
        cast(clocks.first_response_business_seconds as bigint) as first_response_business_seconds,
        cast(clocks.first_response_seconds_reported as bigint) as first_response_seconds_reported,
        cast(clocks.first_response_business_seconds_reported as bigint) as first_response_business_seconds_reported,
        cast(clocks.first_response_business_seconds_by_vendor_hours as bigint)
            as first_response_business_seconds_by_vendor_hours,
        cast(clocks.resolution_business_seconds as bigint) as resolution_business_seconds,
        cast(clocks.resolution_business_seconds_reported as bigint) as resolution_business_seconds_reported,
        cast(clocks.resolution_business_seconds_by_vendor_hours as bigint)
            as resolution_business_seconds_by_vendor_hours
    from tickets
    inner join clocks
        on tickets.ticket_key = clocks.ticket_key

)

select * from final
{%- endmacro %}


{#-
    Where a clock stands at the moment of reading. It runs until it is stopped: at three quarters of its time it is at
    risk, at its end breached, and a stopped one stays what it was when it stopped.
-#}
{% macro sla_status(at_risk_at, due_at, stopped_at) -%}
    case
        when {{ due_at }} is null then 'no_target'
        when coalesce({{ stopped_at }}, {{ now_utc() }}) >= {{ due_at }} then 'breached'
        when {{ stopped_at }} is not null then 'ok'
        when {{ now_utc() }} >= {{ at_risk_at }} then 'at_risk'
        else 'ok'
    end
{%- endmacro %}


{#- The open tickets somebody should look at now, and why. -#}
{% macro needs_attention_current(client) -%}
with clocks as (

    select *
    from {{ ref('agg_' ~ client ~ '_sla_clock_ticket') }}
    where is_open

),

accounts as (

    select * from {{ ref('dim_account_' ~ client) }}

),

employees as (

    select * from {{ ref('dim_employee_' ~ client) }}

),

told as (

    select
        clocks.*,
        {{ sla_status('clocks.first_response_at_risk_at', 'clocks.first_response_due_at', 'clocks.first_response_at') }}
            as first_response_sla_status,
        {{ sla_status('clocks.resolution_at_risk_at', 'clocks.resolution_due_at', 'clocks.resolution_at') }}
            as resolution_sla_status,
        {{ now_utc() }} as read_at
    from clocks

),

ranked as (

    select
        *,
        case
            when resolution_sla_status = 'breached' or (first_response_at is null and first_response_sla_status = 'breached')
                then 1
            when resolution_sla_status = 'at_risk' or first_response_sla_status = 'at_risk' then 2
            when priority in ('urgent', 'high') then 3
            when waiting_since is not null or state in ('new', 'waiting_on_you') then 4
        end as attention_rank
    from told

),

final as (

    select
        -- key
        cast(ranked.ticket_key as varchar) as ticket_key,

        -- ids
        cast(ranked.support_system as varchar) as support_system,
        cast(ranked.ticket_id as varchar) as ticket_id,
        cast(ranked.ticket_number as bigint) as ticket_number,
        cast(ranked.account_id as varchar) as account_id,
        cast(ranked.eid as varchar) as eid,

        -- labels
        cast(accounts.account_name as varchar) as account_name,
        cast(employees.employee_name as varchar) as assignee_name,
        cast(ranked.title as varchar) as title,
        cast(ranked.link as varchar) as link,

        -- strings
        cast(ranked.channel as varchar) as channel,
        cast(ranked.state as varchar) as state,
        cast(ranked.priority as varchar) as priority,
        cast(ranked.first_response_sla_status as varchar) as first_response_sla_status,
        cast(ranked.resolution_sla_status as varchar) as resolution_sla_status,
        cast(case ranked.attention_rank
            when 1 then 'breached' when 2 then 'at risk' when 3 then 'urgent or high' when 4 then 'waiting on us'
        end as varchar) as attention_reason,

        -- booleans
        cast(ranked.first_response_at is null as boolean) as is_unanswered,

        -- timestamps, UTC
        cast(ranked.created_at as {{ timestamp_type() }}) as created_at,
        cast(ranked.waiting_since as {{ timestamp_type() }}) as waiting_since,
        cast(ranked.first_response_due_at as {{ timestamp_type() }}) as first_response_due_at,
        cast(ranked.resolution_due_at as {{ timestamp_type() }}) as resolution_due_at,
        cast(ranked.snoozed_until as {{ timestamp_type() }}) as snoozed_until,
        cast(ranked.read_at as {{ timestamp_type() }}) as read_at,

        -- measures
        cast(ranked.attention_rank as integer) as attention_rank,
        cast({{ seconds_between('ranked.created_at', 'ranked.read_at') }} as bigint) as age_seconds,
        cast({{ seconds_between('ranked.read_at', 'ranked.first_response_due_at') }} as bigint)
            as seconds_to_first_response_due,
        cast({{ seconds_between('ranked.read_at', 'ranked.resolution_due_at') }} as bigint) as seconds_to_resolution_due
    from ranked
    left join accounts
        on ranked.account_id = accounts.account_id
    left join employees
        on ranked.eid = employees.eid
    where ranked.attention_rank is not null

)

select * from final
{%- endmacro %}


{#-
    Our figures against the vendor's own, a row per ticket and figure, with the reason where they differ. The vendors
    differ from us in five ways: a bot's reply counts for them, a message of the team that opened the ticket does not,
    holidays are working days, what was taken back is forgotten, and of tickets merged into one another only one's own
    answers count, which shows as a later one.
-#}
{% macro vendor_parity_current(client) -%}
with clocks as (

    select * from {{ ref('agg_' ~ client ~ '_sla_clock_ticket') }}

),

first_responses as (

    select
        ticket_key,
        support_system,
        ticket_id,
        channel,
        'first_response' as figure,
        first_response_business_seconds as ours_business_seconds,
        first_response_business_seconds_reported as reported_business_seconds,
        first_response_at as ours_at,
        first_response_at_reported as reported_at,
        case
            when first_response_at is null and first_response_at_reported is null then 'same'
            when
                first_response_at = first_response_at_reported
                and coalesce(first_response_business_seconds_reported, first_response_business_seconds)
                = first_response_business_seconds
                then 'same'
            when
                first_response_at = first_response_at_reported
                and first_response_business_seconds_by_vendor_hours = first_response_business_seconds_reported
                then 'holidays'
            when messages_held = 0 then 'no messages held'
            when first_response_at_reported = any_response_at then 'bot'
            when first_response_at < coalesce(first_customer_message_at, cast('9999-01-01' as {{ timestamp_type() }}))
                then 'opened by the team'
            when
                first_response_at is null
                or first_kept_response_at is null
                or first_response_at < first_kept_response_at
                then 'message taken back'
            when is_reported_response_held and first_response_at_reported > first_response_at then 'later answer'
            when first_response_at_reported is null then 'not reported'
            else 'unexplained'
        end as reason
    from clocks

),

resolutions as (

    select
        ticket_key,
        support_system,
        ticket_id,
        channel,
        'resolution' as figure,
        resolution_business_seconds as ours_business_seconds,
        resolution_business_seconds_reported as reported_business_seconds,
        resolution_at as ours_at,
        case when resolution_business_seconds_reported is not null then resolution_at end as reported_at,
        case
            when resolution_business_seconds is null and resolution_business_seconds_reported is null then 'same'
            when resolution_business_seconds = resolution_business_seconds_reported then 'same'
            when resolution_business_seconds_reported is null then 'not reported'
            when resolution_business_seconds_by_vendor_hours = resolution_business_seconds_reported then 'holidays'
            else 'unexplained'
        end as reason
    from clocks

),

compared as (

    select * from first_responses
    union all
    select * from resolutions

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['ticket_key', 'figure']) }} as varchar) as vendor_parity_key,

        -- ids
        cast(ticket_key as varchar) as ticket_key,
        cast(support_system as varchar) as support_system,
        cast(ticket_id as varchar) as ticket_id,

        -- strings
        cast(channel as varchar) as channel,
        cast(figure as varchar) as figure,
        cast(reason as varchar) as reason,

        -- booleans
        cast(reason = 'same' as boolean) as is_same,

        -- timestamps, UTC
        cast(ours_at as {{ timestamp_type() }}) as ours_at,
        cast(reported_at as {{ timestamp_type() }}) as reported_at,

        -- measures
        cast(ours_business_seconds as bigint) as ours_business_seconds,
        cast(reported_business_seconds as bigint) as reported_business_seconds,
        cast(ours_business_seconds - reported_business_seconds as bigint) as difference_seconds
    from compared

)

select * from final
{%- endmacro %}
