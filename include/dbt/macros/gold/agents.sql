{#- The KPI domains "agent activity" and "agent time": what the agents of the support team did, and how long they worked. -#}

{%- macro agent_activity_measures() -%}
    {{ return(['tickets_held_created', 'tickets_held_resolved', 'replies_sent', 'notes_written', 'tickets_worked_on']) }}
{%- endmacro -%}

{#-
    Messages are credited to who wrote them, tickets to who holds them. tickets_worked_on counts a ticket once per agent,
    channel and day, so it does not add up over days.
-#}
{% macro agent_activity_channel_daily(client) -%}
{%- set grain = ['metric_date', 'eid', 'support_system', 'channel'] -%}

with tickets as (

    select *
    from {{ ref('fct_' ~ client ~ '_tickets') }}
    where is_support_agent

),

messages as (

    select *
    from {{ ref('fct_' ~ client ~ '_messages') }}
    where is_support_agent

),

activity as (

    select
        created_date as metric_date,
        eid,
        support_system,
        channel,
        1 as tickets_held_created,
        0 as tickets_held_resolved,
        0 as replies_sent,
        0 as notes_written,
        cast(null as varchar) as worked_on
    from tickets
    union all
    select
        resolved_date as metric_date,
        eid,
        support_system,
        channel,
        0 as tickets_held_created,
        1 as tickets_held_resolved,
        0 as replies_sent,
        0 as notes_written,
        cast(null as varchar) as worked_on
    from tickets
    where is_resolved
    union all
    select
        sent_date as metric_date,
        eid,
        support_system,
        channel,
        0 as tickets_held_created,
        0 as tickets_held_resolved,
        case when is_private then 0 else 1 end as replies_sent,
        case when is_private then 1 else 0 end as notes_written,
        ticket_key as worked_on
    from messages

),

summed as (

    select
        metric_date,
        eid,
        support_system,
        channel,
        sum(tickets_held_created) as tickets_held_created,
        sum(tickets_held_resolved) as tickets_held_resolved,
        sum(replies_sent) as replies_sent,
        sum(notes_written) as notes_written,
        count(distinct worked_on) as tickets_worked_on
    from activity
    group by metric_date, eid, support_system, channel

),

final as (

    select
        cast({{ surrogate_key(grain) }} as varchar) as agent_activity_channel_daily_key,

        -- grain
        cast(metric_date as date) as metric_date,
        cast(eid as varchar) as eid,
        cast(support_system as varchar) as support_system,
        cast(channel as varchar) as channel,

        -- measures
        {%- for measure in agent_activity_measures() %}
        cast({{ measure }} as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from summed

)

select * from final
{%- endmacro %}


{%- macro agent_time_measures() -%}
    {{ return(['scheduled_seconds', 'active_seconds', 'handle_seconds', 'after_contact_work_seconds', 'break_seconds']) }}
{%- endmacro -%}

{#- A day of work has no channel. -#}
{% macro agent_time_daily(client) -%}
with agent_days as (

    select *
    from {{ ref('fct_' ~ client ~ '_agent_days') }}
    where is_support_agent

),

summed as (

    select
        work_date as metric_date,
        eid
        {%- for measure in agent_time_measures() %},
        sum({{ measure }}) as {{ measure }}
        {%- endfor %}
    from agent_days
    group by work_date, eid

),

final as (

    select
        cast({{ surrogate_key(['metric_date', 'eid']) }} as varchar) as agent_time_daily_key,

        -- grain
        cast(metric_date as date) as metric_date,
        cast(eid as varchar) as eid,

        -- measures
        {%- for measure in agent_time_measures() %}
        cast({{ measure }} as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from summed

)

select * from final
{%- endmacro %}


{#-
    Performance of agents: rows add up over channels, agents and days, so there are sums and counts and no rate. Who reads
    divides after adding.
-#}
{% macro agent_performance_channel_daily(client) -%}
{%- set grain = ['metric_date', 'eid', 'support_system', 'channel'] -%}
{%- set contributors = {
    'activity': ['metric_date', 'eid', 'support_system', 'channel'],
    'responses': ['metric_date', 'eid', 'support_system', 'channel'],
    'csat': ['metric_date', 'eid', 'support_system', 'interaction_type'],
    'qa': ['metric_date', 'eid', 'support_system', 'channel_formatted'],
} -%}
{%- set counts = {
    'activity': agent_activity_measures(),
    'responses': agent_response_measures(),
    'csat': csat_measures(),
    'qa': ['qa_reviews', 'qa_critical_errors'],
} -%}

with activity as (

    select * from {{ ref('agg_' ~ client ~ '_agent_activity_channel_daily') }}

),

responses as (

    select * from {{ ref('agg_' ~ client ~ '_agent_response_channel_daily') }}

),

csat_answers as (

    select *
    from {{ ref('agg_' ~ client ~ '_csat_channel_daily') }}
    where is_support_agent

),

csat as (

    {{ summed_to('csat_answers', contributors['csat'], csat_measures()) }}

),

qa as (

    select * from {{ ref('agg_' ~ client ~ '_qa_channel_daily') }}

),

employees as (

    select * from {{ ref('dim_employee_' ~ client) }}

),

spine as (

    {{ spine(grain, contributors) }}

),

final as (

    select
        cast({{ surrogate_key(columns_of('spine', grain)) }} as varchar) as agent_performance_channel_daily_key,

        -- grain
        spine.metric_date,
        spine.eid,
        spine.support_system,
        spine.channel,

        -- labels
        employees.employee_name,
        employees.team,
        employees.leader_name,
        employees.wave_period,

        -- measures
        {%- for relation, measures in counts.items() -%}
        {%- for measure in measures %}
        cast(coalesce({{ relation }}.{{ measure }}, 0) as bigint) as {{ measure }},
        {%- endfor -%}
        {%- endfor %}
        cast(coalesce(qa.qa_score_sum, 0) as decimal(18, 2)) as qa_score_sum,
        cast(coalesce(qa.qa_max_score_sum, 0) as decimal(18, 2)) as qa_max_score_sum
    from spine
    {%- for relation, native in contributors.items() %}
    left join {{ relation }}
        on {{ on_spine(relation, grain, native) }}
    {%- endfor %}
    left join employees
        on spine.eid = employees.eid

)

select * from final
{%- endmacro %}


{#-
    Productivity of agents: what they did over the time they worked. The time is the agent's and the day's, not a channel's,
    so there is one row per agent and day, with the rates and what they are made of. Rates never add up.
-#}
{% macro agent_productivity_daily(client) -%}
{%- set grain = ['metric_date', 'eid'] -%}
{%- set done = ['tickets_held_resolved', 'replies_sent', 'notes_written'] -%}

with agent_time as (

    select * from {{ ref('agg_' ~ client ~ '_agent_time_daily') }}

),

activity_by_channel as (

    select * from {{ ref('agg_' ~ client ~ '_agent_activity_channel_daily') }}

),

activity as (

    {{ summed_to('activity_by_channel', grain, done) }}

),

employees as (

    select * from {{ ref('dim_employee_' ~ client) }}

),

spine as (

    {{ spine(grain, {'agent_time': grain, 'activity': grain}) }}

),

final as (

    select
        cast({{ surrogate_key(columns_of('spine', grain)) }} as varchar) as agent_productivity_daily_key,

        -- grain
        spine.metric_date,
        spine.eid,

        -- labels
        employees.employee_name,
        employees.team,
        employees.leader_name,
        employees.wave_period,

        -- measures
        {%- for measure in agent_time_measures() %}
        agent_time.{{ measure }},
        {%- endfor %}
        {%- for measure in done %}
        cast(coalesce(activity.{{ measure }}, 0) as bigint) as {{ measure }},
        {%- endfor %}

        -- rates
        {{ ratio('agent_time.active_seconds', '3600.0') }} as active_time_hours,
        {{ ratio('coalesce(activity.replies_sent, 0)', 'agent_time.active_seconds', '3600.0') }} as replies_per_hour,
        {{ ratio('coalesce(activity.tickets_held_resolved, 0)', 'agent_time.active_seconds', '3600.0') }}
            as tickets_resolved_per_hour,
        {{ ratio('agent_time.after_contact_work_seconds', 'agent_time.active_seconds', '100.0') }} as acw_pct,
        {{ ratio('agent_time.handle_seconds', 'agent_time.active_seconds', '100.0') }} as occupancy_pct,
        {{ ratio('agent_time.active_seconds', 'agent_time.scheduled_seconds', '100.0') }} as adherence_pct
    from spine
    left join agent_time
        on {{ on_spine('agent_time', grain, grain) }}
    left join activity
        on {{ on_spine('activity', grain, grain) }}
    left join employees
        on spine.eid = employees.eid

)

select * from final
{%- endmacro %}
