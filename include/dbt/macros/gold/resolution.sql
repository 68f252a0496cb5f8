{#-
    The KPI domain "resolution": how soon a client's tickets were solved, and whether for good. A resolution counts on the
    day of the closing that still stands, a first resolution on the day of the first one, a reopening on its own day. A
    ticket without a target is in no denominator and is counted beside it.
-#}
{%- macro resolution_measures() -%}
    {{ return([
        'tickets_resolved', 'resolution_calendar_seconds_sum', 'resolution_business_seconds_sum',
        'resolution_sla_eligible', 'resolution_sla_met', 'resolution_sla_no_target', 'fcr_eligible', 'fcr_met',
        'first_resolutions', 'first_resolution_calendar_seconds_sum', 'first_resolution_business_seconds_sum',
        'tickets_reopened',
    ]) }}
{%- endmacro -%}

{% macro resolution_channel_daily(client) -%}
{%- set grain = ['metric_date', 'account_id', 'support_system', 'channel'] -%}

with clocks as (

    select * from {{ ref('fct_' ~ client ~ '_ticket_clocks') }}

),

episodes as (

    select * from {{ ref('fct_' ~ client ~ '_ticket_episodes') }}

),

resolutions as (

    select
        resolution_date as metric_date,
        account_id,
        support_system,
        channel,
        count(*) as tickets_resolved,
        sum(resolution_calendar_seconds) as resolution_calendar_seconds_sum,
        sum(resolution_business_seconds) as resolution_business_seconds_sum,
        count(resolution_target_seconds) as resolution_sla_eligible,
        sum(case when is_resolution_in_time then 1 else 0 end) as resolution_sla_met,
        count(*) - count(resolution_target_seconds) as resolution_sla_no_target,
        sum(case when is_first_contact_eligible then 1 else 0 end) as fcr_eligible,
        sum(case when is_first_contact_resolved then 1 else 0 end) as fcr_met
    from clocks
    where not is_open
    group by resolution_date, account_id, support_system, channel

),

first_resolutions as (

    select
        first_resolution_date as metric_date,
        account_id,
        support_system,
        channel,
        count(*) as first_resolutions,
        sum(first_resolution_calendar_seconds) as first_resolution_calendar_seconds_sum,
        sum(first_resolution_business_seconds) as first_resolution_business_seconds_sum
    from clocks
    where first_resolution_at is not null
    group by first_resolution_date, account_id, support_system, channel

),

reopenings as (

    select
        opened_date as metric_date,
        account_id,
        support_system,
        channel,
        count(*) as tickets_reopened
    from episodes
    where is_reopening and not is_deleted
    group by opened_date, account_id, support_system, channel

),

spine as (

    select {{ grain | join(', ') }} from resolutions
    union
    select {{ grain | join(', ') }} from first_resolutions
    union
    select {{ grain | join(', ') }} from reopenings

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(columns_of('spine', grain)) }} as varchar)
            as resolution_channel_daily_key,

        -- grain
        cast(spine.metric_date as date) as metric_date,
        cast(spine.account_id as varchar) as account_id,
        cast(spine.support_system as varchar) as support_system,
        cast(spine.channel as varchar) as channel,

        -- measures
        {% for measure in resolution_measures() -%}
        cast(coalesce({{ measure }}, 0) as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from spine
    left join resolutions
        on {{ same_grain('spine', 'resolutions', grain) }}
    left join first_resolutions
        on {{ same_grain('spine', 'first_resolutions', grain) }}
    left join reopenings
        on {{ same_grain('spine', 'reopenings', grain) }}

)

select * from final
{%- endmacro %}
