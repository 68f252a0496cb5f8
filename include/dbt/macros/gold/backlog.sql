{#-
    The KPI domain "backlog": how many of a client's tickets were open at the end of each day, and what moved that number.
    Days without a movement have a row too, from the first ticket's day to today. The stock is counted from the stretches
    that last over midnight, the flows from their beginnings and ends, so that each can be held against the other:

        open today = open yesterday + created + reopened + undeleted - closed - deleted

    Tickets deleted since were open all the same, and are in the numbers until they were missed; tickets_open_deleted_since
    says how many of them, for whoever wants the day as it looks now. A ticket whose deletion was taken back is in the
    numbers until it was missed and again from when it was seen again.
-#}
{%- macro backlog_measures() -%}
    {{ return([
        'tickets_open', 'tickets_open_deleted_since', 'tickets_open_unobserved', 'tickets_open_new',
        'tickets_open_waiting_on_us', 'tickets_open_waiting_on_customer', 'tickets_open_on_hold',
        'tickets_created', 'tickets_reopened', 'tickets_undeleted', 'tickets_closed', 'tickets_deleted',
    ]) }}
{%- endmacro -%}

{% macro backlog_channel_daily(client, zone) -%}
{%- set grain = ['metric_date', 'support_system', 'channel'] -%}

with states as (

    select * from {{ ref('fct_' ~ client ~ '_ticket_states') }}

),

days as (

    select date_day
    from {{ ref('dim_calendar') }}
    where date_day <= {{ date_in_zone(now_utc(), zone) }}

),

channels as (

    select
        support_system,
        channel,
        min(started_date) as first_date
    from states
    group by support_system, channel

),

spine as (

    select
        days.date_day as metric_date,
        channels.support_system,
        channels.channel
    from channels
    inner join days
        on channels.first_date <= days.date_day

),

stock as (

    select
        days.date_day as metric_date,
        states.support_system,
        states.channel,
        count(*) as tickets_open,
        sum(case when states.is_deleted then 1 else 0 end) as tickets_open_deleted_since,
        sum(case when states.state = 'unobserved' then 1 else 0 end) as tickets_open_unobserved,
        sum(case when states.state = 'new' then 1 else 0 end) as tickets_open_new,
        sum(case when states.state = 'waiting_on_you' then 1 else 0 end) as tickets_open_waiting_on_us,
        sum(case when states.state = 'waiting_on_customer' then 1 else 0 end) as tickets_open_waiting_on_customer,
        sum(case when states.state = 'on_hold' then 1 else 0 end) as tickets_open_on_hold
    from states
    inner join days
        on
            states.started_date <= days.date_day
            and days.date_day < coalesce(states.ended_date, cast('9999-01-01' as date))
    where states.is_open
    group by days.date_day, states.support_system, states.channel

),

movements as (

    select
        started_date as metric_date,
        support_system,
        channel,
        case when run_number = 1 then 1 else 0 end as tickets_created,
        case when is_reopening then 1 else 0 end as tickets_reopened,
        case when is_undeletion then 1 else 0 end as tickets_undeleted,
        case when is_closing then 1 else 0 end as tickets_closed,
        0 as tickets_deleted
    from states
    union all
    select
        ended_date as metric_date,
        support_system,
        channel,
        0 as tickets_created,
        0 as tickets_reopened,
        0 as tickets_undeleted,
        0 as tickets_closed,
        1 as tickets_deleted
    from states
    where is_open and ended_how = 'deleted'

),

flows as (

    select
        metric_date,
        support_system,
        channel,
        sum(tickets_created) as tickets_created,
        sum(tickets_reopened) as tickets_reopened,
        sum(tickets_undeleted) as tickets_undeleted,
        sum(tickets_closed) as tickets_closed,
        sum(tickets_deleted) as tickets_deleted
    from movements
    group by metric_date, support_system, channel

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(columns_of('spine', grain)) }} as varchar) as backlog_channel_daily_key,

        -- grain
        cast(spine.metric_date as date) as metric_date,
        cast(spine.support_system as varchar) as support_system,
        cast(spine.channel as varchar) as channel,

        -- measures
        {% for measure in backlog_measures() -%}
        cast(coalesce({{ measure }}, 0) as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from spine
    left join stock
        on {{ same_grain('spine', 'stock', grain) }}
    left join flows
        on {{ same_grain('spine', 'flows', grain) }}

)

select * from final
{%- endmacro %}


{#- The backlog as the page shows it: what still counts now, with the rest beside it. -#}
{% macro backlog_report(client) -%}
with backlog as (

    select * from {{ ref('agg_' ~ client ~ '_backlog_channel_daily') }}

),

channels as (

    select * from {{ ref('dim_channel') }}

),

final as (

    select
        -- surrogate key
        backlog.backlog_channel_daily_key,

        -- grain
        backlog.metric_date,
        backlog.support_system,
        backlog.channel,

        -- labels
        channels.channel_label,

        -- measures
        cast(backlog.tickets_open - backlog.tickets_open_deleted_since as bigint) as tickets_open,
        {%- for measure in backlog_measures() if measure != 'tickets_open' %}
        backlog.{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from backlog
    left join channels
        on backlog.channel = channels.channel

)

select * from final
{%- endmacro %}
