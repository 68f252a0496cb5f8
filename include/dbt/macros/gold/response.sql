{#-
    The KPI domain "response": how soon a client's customers were answered. A first response counts on the day it was
    given, an answer to a later question likewise; what nobody has answered yet is not in here but in the service clocks.
    A ticket without a target is in no denominator and is counted beside it.
-#}
{%- macro response_measures() -%}
    {{ return([
        'first_responses', 'first_response_calendar_seconds_sum', 'first_response_business_seconds_sum',
        'first_response_sla_eligible', 'first_response_sla_met', 'first_response_sla_no_target',
        'any_responses', 'any_response_calendar_seconds_sum', 'any_response_business_seconds_sum',
        'customer_waits_answered', 'customer_wait_calendar_seconds_sum', 'customer_wait_business_seconds_sum',
        'next_replies', 'next_reply_calendar_seconds_sum', 'next_reply_business_seconds_sum',
    ]) }}
{%- endmacro -%}

{% macro response_channel_daily(client) -%}
{%- set grain = ['metric_date', 'account_id', 'support_system', 'channel'] -%}

with clocks as (

    select * from {{ ref('fct_' ~ client ~ '_ticket_clocks') }}

),

replies as (

    select * from {{ ref('fct_' ~ client ~ '_replies') }}

),

first_responses as (

    select
        first_response_date as metric_date,
        account_id,
        support_system,
        channel,
        count(*) as first_responses,
        sum(first_response_calendar_seconds) as first_response_calendar_seconds_sum,
        sum(first_response_business_seconds) as first_response_business_seconds_sum,
        count(first_response_target_seconds) as first_response_sla_eligible,
        sum(case when is_first_response_in_time then 1 else 0 end) as first_response_sla_met,
        count(*) - count(first_response_target_seconds) as first_response_sla_no_target
    from clocks
    where first_response_at is not null
    group by first_response_date, account_id, support_system, channel

),

any_responses as (

    select
        any_response_date as metric_date,
        account_id,
        support_system,
        channel,
        count(*) as any_responses,
        sum(any_response_calendar_seconds) as any_response_calendar_seconds_sum,
        sum(any_response_business_seconds) as any_response_business_seconds_sum
    from clocks
    where any_response_at is not null
    group by any_response_date, account_id, support_system, channel

),

answers as (

    select
        answered_date as metric_date,
        account_id,
        support_system,
        channel,
        count(*) as customer_waits_answered,
        sum(wait_calendar_seconds) as customer_wait_calendar_seconds_sum,
        sum(wait_business_seconds) as customer_wait_business_seconds_sum,
        sum(case when is_first_answer then 0 else 1 end) as next_replies,
        sum(case when is_first_answer then 0 else wait_calendar_seconds end) as next_reply_calendar_seconds_sum,
        sum(case when is_first_answer then 0 else wait_business_seconds end) as next_reply_business_seconds_sum
    from replies
    where is_answered
    group by answered_date, account_id, support_system, channel

),

spine as (

    select {{ grain | join(', ') }} from first_responses
    union
    select {{ grain | join(', ') }} from any_responses
    union
    select {{ grain | join(', ') }} from answers

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(columns_of('spine', grain)) }} as varchar) as response_channel_daily_key,

        -- grain
        cast(spine.metric_date as date) as metric_date,
        cast(spine.account_id as varchar) as account_id,
        cast(spine.support_system as varchar) as support_system,
        cast(spine.channel as varchar) as channel,

        -- measures
        {% for measure in response_measures() -%}
        cast(coalesce({{ measure }}, 0) as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from spine
    left join first_responses
        on {{ same_grain('spine', 'first_responses', grain) }}
    left join any_responses
        on {{ same_grain('spine', 'any_responses', grain) }}
    left join answers
        on {{ same_grain('spine', 'answers', grain) }}

)

select * from final
{%- endmacro %}


{%- macro agent_response_measures() -%}
    {{ return([
        'customer_waits_answered', 'customer_wait_calendar_seconds_sum', 'customer_wait_business_seconds_sum',
        'first_answers', 'first_answer_business_seconds_sum', 'assigned_waits_answered',
        'assigned_wait_business_seconds_sum', 'waits_answered_by_assignee',
    ]) }}
{%- endmacro -%}


{#-
    The same per agent. An answer is credited twice, in columns of their own: to who wrote it, and to who held the ticket
    when it was written.
-#}
{% macro agent_response_channel_daily(client) -%}
{%- set measures = agent_response_measures() -%}

with replies as (

    select *
    from {{ ref('fct_' ~ client ~ '_replies') }}
    where is_answered

),

as_responder as (

    select
        answered_date as metric_date,
        eid,
        support_system,
        channel,
        1 as customer_waits_answered,
        wait_calendar_seconds as customer_wait_calendar_seconds_sum,
        wait_business_seconds as customer_wait_business_seconds_sum,
        case when is_first_answer then 1 else 0 end as first_answers,
        case when is_first_answer then wait_business_seconds else 0 end as first_answer_business_seconds_sum,
        0 as assigned_waits_answered,
        0 as assigned_wait_business_seconds_sum,
        case when is_answered_by_assignee then 1 else 0 end as waits_answered_by_assignee
    from replies
    where is_support_agent

),

as_assignee as (

    select
        answered_date as metric_date,
        assignee_eid as eid,
        support_system,
        channel,
        0 as customer_waits_answered,
        0 as customer_wait_calendar_seconds_sum,
        0 as customer_wait_business_seconds_sum,
        0 as first_answers,
        0 as first_answer_business_seconds_sum,
        1 as assigned_waits_answered,
        wait_business_seconds as assigned_wait_business_seconds_sum,
        0 as waits_answered_by_assignee
    from replies
    where is_assignee_support_agent

),

credited as (

    select * from as_responder
    union all
    select * from as_assignee

),

summed as (

    select
        metric_date,
        eid,
        support_system,
        channel,
        {% for measure in measures -%}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from credited
    group by metric_date, eid, support_system, channel

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['metric_date', 'eid', 'support_system', 'channel']) }} as varchar)
            as agent_response_channel_daily_key,

        -- grain
        cast(metric_date as date) as metric_date,
        cast(eid as varchar) as eid,
        cast(support_system as varchar) as support_system,
        cast(channel as varchar) as channel,

        -- measures
        {% for measure in measures -%}
        cast({{ measure }} as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from summed

)

select * from final
{%- endmacro %}
