{#- The KPI domains "csat" and "qa": what customers and reviewers said of the work. -#}

{%- macro csat_measures() -%}
    {{ return(['csat_score_sum', 'csat_answers', 'csat_positive_answers', 'csat_negative_answers']) }}
{%- endmacro -%}

{#- An answer counts on the day it was given. It calls the channel as the surveys do: interaction_type. -#}
{% macro csat_channel_daily(client) -%}
{%- set grain = [
    'metric_date', 'account_id', 'salesforce_account_id', 'eid', 'is_support_agent', 'support_system', 'interaction_type',
] -%}

with answers as (

    select * from {{ ref('fct_' ~ client ~ '_csat') }}

),

tickets as (

    select
        ticket_key,
        account_id,
        salesforce_account_id
    from {{ ref('fct_' ~ client ~ '_tickets') }}

),

summed as (

    select
        answers.answered_date as metric_date,
        tickets.account_id,
        tickets.salesforce_account_id,
        answers.eid,
        answers.is_support_agent,
        answers.support_system,
        answers.channel as interaction_type,
        sum(answers.score) as csat_score_sum,
        count(*) as csat_answers,
        count(case when answers.score >= 4 then 1 end) as csat_positive_answers,
        count(case when answers.score <= 2 then 1 end) as csat_negative_answers
    from answers
    left join tickets
        on answers.ticket_key = tickets.ticket_key
    group by
        answers.answered_date,
        tickets.account_id,
        tickets.salesforce_account_id,
        answers.eid,
        answers.is_support_agent,
        answers.support_system,
        answers.channel

),

final as (

    select
        cast({{ surrogate_key(grain) }} as varchar) as csat_channel_daily_key,

        -- grain
        cast(metric_date as date) as metric_date,
        cast(account_id as varchar) as account_id,
        cast(salesforce_account_id as varchar) as salesforce_account_id,
        cast(eid as varchar) as eid,
        cast(is_support_agent as boolean) as is_support_agent,
        cast(support_system as varchar) as support_system,
        cast(interaction_type as varchar) as interaction_type,

        -- measures
        {%- for measure in csat_measures() %}
        cast({{ measure }} as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from summed

)

select * from final
{%- endmacro %}


{%- macro qa_measures() -%}
    {{ return(['qa_score_sum', 'qa_max_score_sum', 'qa_reviews', 'qa_critical_errors']) }}
{%- endmacro -%}

{#- A review counts on the day it was made. It calls the channel as the reviewers' tool does: channel_formatted. -#}
{% macro qa_channel_daily(client) -%}
{%- set grain = ['metric_date', 'eid', 'support_system', 'channel_formatted'] -%}

with reviews as (

    select *
    from {{ ref('fct_' ~ client ~ '_qa_reviews') }}
    where is_support_agent

),

summed as (

    select
        reviewed_date as metric_date,
        eid,
        support_system,
        channel as channel_formatted,
        sum(score) as qa_score_sum,
        sum(max_score) as qa_max_score_sum,
        count(*) as qa_reviews,
        count(case when is_critical_error then 1 end) as qa_critical_errors
    from reviews
    group by reviewed_date, eid, support_system, channel

),

final as (

    select
        cast({{ surrogate_key(grain) }} as varchar) as qa_channel_daily_key,

        -- grain
        cast(metric_date as date) as metric_date,
        cast(eid as varchar) as eid,
        cast(support_system as varchar) as support_system,
        cast(channel_formatted as varchar) as channel_formatted,

        -- measures
        cast(qa_score_sum as decimal(18, 2)) as qa_score_sum,
        cast(qa_max_score_sum as decimal(18, 2)) as qa_max_score_sum,
        cast(qa_reviews as bigint) as qa_reviews,
        cast(qa_critical_errors as bigint) as qa_critical_errors
    from summed

)

select * from final
{%- endmacro %}


{#- Satisfaction per day and channel, with the rates that only a view without agents may show. -#}
{% macro csat_report_channel_daily(client) -%}
{%- set grain = ['metric_date', 'support_system', 'interaction_type'] -%}

with csat as (

    select * from {{ ref('agg_' ~ client ~ '_csat_channel_daily') }}

),

summed as (

    {{ summed_to('csat', grain, csat_measures()) }}

),

final as (

    select
        cast({{ surrogate_key(grain) }} as varchar) as csat_channel_daily_key,
        metric_date,
        support_system,
        interaction_type as channel,
        {%- for measure in csat_measures() %}
        cast({{ measure }} as bigint) as {{ measure }},
        {%- endfor %}
        {{ ratio('csat_score_sum', 'csat_answers') }} as csat_avg,
        {{ ratio('csat_positive_answers', 'csat_answers', '100.0') }} as csat_positive_pct
    from summed

)

select * from final
{%- endmacro %}
