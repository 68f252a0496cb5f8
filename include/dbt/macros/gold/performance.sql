{#-
    Performance per week, month or quarter and how it moved against the one before: rates made of the sums of the period,
    never of the days' rates. Every period between the first and the last has a row for every channel there ever was; a
    rate of a period without anything to divide by is NULL, and so is its change.
-#}
{% macro performance_per_period(client, period) -%}
{%- set grain = ['period_start', 'support_system', 'channel'] -%}
{%- set sums = {
    'responses': [
        'first_responses', 'first_response_business_seconds_sum', 'first_response_sla_eligible',
        'first_response_sla_met', 'first_response_sla_no_target', 'next_replies', 'next_reply_business_seconds_sum',
    ],
    'resolutions': [
        'tickets_resolved', 'resolution_business_seconds_sum', 'resolution_sla_eligible', 'resolution_sla_met',
        'resolution_sla_no_target', 'fcr_eligible', 'fcr_met', 'tickets_reopened',
    ],
} -%}
{%- set rates = {
    'avg_first_response_business_hours':
        ratio('first_response_business_seconds_sum', 'first_responses', '1.0 / 3600'),
    'avg_next_reply_business_hours': ratio('next_reply_business_seconds_sum', 'next_replies', '1.0 / 3600'),
    'avg_resolution_business_hours': ratio('resolution_business_seconds_sum', 'tickets_resolved', '1.0 / 3600'),
    'first_response_sla_pct': ratio('first_response_sla_met', 'first_response_sla_eligible', '100.0'),
    'resolution_sla_pct': ratio('resolution_sla_met', 'resolution_sla_eligible', '100.0'),
    'fcr_pct': ratio('fcr_met', 'fcr_eligible', '100.0'),
} -%}
{%- set today = date_in_zone(now_utc(), reporting_timezone(client ~ '_bronze')) -%}

with responses_daily as (

    select * from {{ ref('agg_' ~ client ~ '_response_channel_daily') }}

),

resolutions_daily as (

    select * from {{ ref('agg_' ~ client ~ '_resolution_channel_daily') }}

),

calendar as (

    select
        date_day,
        {{ period }}_start as period_start
    from {{ ref('dim_calendar') }}

),

{% for relation, measures in sums.items() -%}
{{ relation }}_dated as (

    select
        calendar.period_start,
        {{ relation }}_daily.*
    from {{ relation }}_daily
    inner join calendar
        on {{ relation }}_daily.metric_date = calendar.date_day

),

{{ relation }} as (

    {{ summed_to(relation ~ '_dated', grain, measures) }}

),

{% endfor -%}

known as (

    {{ spine(grain, {'responses': grain, 'resolutions': grain}) }}

),

bounds as (

    select
        min(period_start) as first_period,
        max(period_start) as last_period
    from known

),

periods as (

    select
        calendar.period_start,
        max(calendar.date_day) as period_end
    from calendar
    inner join bounds
        on calendar.period_start between bounds.first_period and bounds.last_period
    group by calendar.period_start

),

channels as (

    select distinct
        support_system,
        channel
    from known

),

spine as (

    select
        periods.period_start,
        periods.period_end,
        channels.support_system,
        channels.channel
    from periods
    cross join channels

),

filled as (

    select
        {%- for relation, measures in sums.items() %}
        {%- for measure in measures %}
        cast(coalesce({{ relation }}.{{ measure }}, 0) as bigint) as {{ measure }},
        {%- endfor %}
        {%- endfor %}
        spine.*
    from spine
    left join responses
        on {{ on_spine('responses', grain, grain) }}
    left join resolutions
        on {{ on_spine('resolutions', grain, grain) }}

),

rated as (

    select
        {%- for name, rate in rates.items() %}
        {{ rate }} as {{ name }},
        {%- endfor %}
        filled.*
    from filled

),

compared as (

    select
        {%- for name in rates %}
        lag({{ name }}) over (partition by support_system, channel order by period_start) as previous_{{ name }},
        {%- endfor %}
        rated.*
    from rated

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(grain) }} as varchar) as performance_key,

        -- grain
        cast(period_start as date) as period_start,
        cast(period_end as date) as period_end,
        cast(support_system as varchar) as support_system,
        cast(channel as varchar) as channel,
        cast(period_end < {{ today }} as boolean) as is_period_complete,

        -- measures
        {%- for measures in sums.values() %}
        {%- for measure in measures %}
        {{ measure }},
        {%- endfor %}
        {%- endfor %}

        -- rates
        {%- for name in rates %}
        {{ name }},
        previous_{{ name }},
        {{ name }} - previous_{{ name }} as {{ name }}_change{{ ',' if not loop.last }}
        {%- endfor %}
    from compared

)

select * from final
{%- endmacro %}
