{#-
    The client's performance as a whole, per day, system and channel. Nobody adds these rows up over agents, so the rates are
    given with what they are made of.
-#}
{% macro account_performance_channel_daily(client) -%}
{%- set grain = ['metric_date', 'support_system', 'channel'] -%}
{%- set contributors = {
    'activity': grain,
    'responses': grain,
    'resolutions': grain,
    'csat': ['metric_date', 'support_system', 'interaction_type'],
    'qa': ['metric_date', 'support_system', 'channel_formatted'],
} -%}
{%- set counts = {
    'activity': ['tickets_created', 'messages_created', 'customer_messages_created', 'agent_messages_created'],
    'responses': [
        'first_responses', 'first_response_business_seconds_sum', 'first_response_sla_eligible',
        'first_response_sla_met', 'first_response_sla_no_target',
    ],
    'resolutions': [
        'tickets_resolved', 'tickets_reopened', 'resolution_business_seconds_sum', 'resolution_sla_eligible',
        'resolution_sla_met', 'resolution_sla_no_target', 'fcr_eligible', 'fcr_met',
    ],
    'csat': csat_measures(),
    'qa': ['qa_reviews', 'qa_critical_errors'],
} -%}

with activity_by_account as (

    select * from {{ ref('agg_' ~ client ~ '_ticket_activity_channel_daily') }}

),

responses_by_account as (

    select * from {{ ref('agg_' ~ client ~ '_response_channel_daily') }}

),

resolutions_by_account as (

    select * from {{ ref('agg_' ~ client ~ '_resolution_channel_daily') }}

),

csat_by_account as (

    select * from {{ ref('agg_' ~ client ~ '_csat_channel_daily') }}

),

qa_by_agent as (

    select * from {{ ref('agg_' ~ client ~ '_qa_channel_daily') }}

),

activity as (

    {{ summed_to('activity_by_account', contributors['activity'], counts['activity']) }}

),

responses as (

    {{ summed_to('responses_by_account', contributors['responses'], counts['responses']) }}

),

resolutions as (

    {{ summed_to('resolutions_by_account', contributors['resolutions'], counts['resolutions']) }}

),

csat as (

    {{ summed_to('csat_by_account', contributors['csat'], counts['csat']) }}

),

qa as (

    {{ summed_to('qa_by_agent', contributors['qa'], qa_measures()) }}

),

spine as (

    {{ spine(grain, contributors) }}

),

final as (

    select
        cast({{ surrogate_key(columns_of('spine', grain)) }} as varchar) as account_performance_channel_daily_key,

        -- grain
        spine.metric_date,
        spine.support_system,
        spine.channel,

        -- measures
        {%- for relation, measures in counts.items() -%}
        {%- for measure in measures %}
        cast(coalesce({{ relation }}.{{ measure }}, 0) as bigint) as {{ measure }},
        {%- endfor -%}
        {%- endfor %}
        cast(coalesce(qa.qa_score_sum, 0) as decimal(18, 2)) as qa_score_sum,
        cast(coalesce(qa.qa_max_score_sum, 0) as decimal(18, 2)) as qa_max_score_sum,

        -- rates
        {{ ratio('responses.first_response_business_seconds_sum', 'responses.first_responses') }} as asa_sec,
        {{ ratio('responses.first_response_sla_met', 'responses.first_response_sla_eligible', '100.0') }}
            as first_response_sla_pct,
        {{ ratio('resolutions.resolution_business_seconds_sum', 'resolutions.tickets_resolved', '1.0 / 3600') }}
            as avg_resolution_business_hours,
        {{ ratio('resolutions.resolution_sla_met', 'resolutions.resolution_sla_eligible', '100.0') }}
            as resolution_sla_pct,
        {{ ratio('resolutions.fcr_met', 'resolutions.fcr_eligible', '100.0') }} as fcr_pct,
        {{ ratio('csat.csat_score_sum', 'csat.csat_answers') }} as csat_avg,
        {{ ratio('qa.qa_score_sum', 'qa.qa_max_score_sum', '100.0') }} as qa_avg
    from spine
    {%- for relation, native in contributors.items() %}
    left join {{ relation }}
        on {{ on_spine(relation, grain, native) }}
    {%- endfor %}

)

select * from final
{%- endmacro %}


{#- What each account brought and said, per day; the account's name now beside it. -#}
{% macro accounts_daily(client) -%}
{%- set grain = ['metric_date', 'account_id', 'salesforce_account_id'] -%}
{%- set counts = {
    'activity': ['tickets_created', 'tickets_resolved', 'messages_created', 'customer_messages_created'],
    'csat': csat_measures(),
} -%}

with activity_by_channel as (

    select * from {{ ref('agg_' ~ client ~ '_ticket_activity_channel_daily') }}

),

csat_by_channel as (

    select * from {{ ref('agg_' ~ client ~ '_csat_channel_daily') }}

),

accounts as (

    select * from {{ ref('dim_account_' ~ client) }}

),

salesforce_accounts as (

    select * from {{ ref('dim_salesforce_account') }}

),

activity as (

    {{ summed_to('activity_by_channel', grain, counts['activity']) }}

),

csat as (

    {{ summed_to('csat_by_channel', grain, counts['csat']) }}

),

spine as (

    {{ spine(grain, {'activity': grain, 'csat': grain}) }}

),

final as (

    select
        cast({{ surrogate_key(columns_of('spine', grain)) }} as varchar) as accounts_daily_key,

        -- grain
        spine.metric_date,
        spine.account_id,
        spine.salesforce_account_id,

        -- labels
        coalesce(accounts.account_name, salesforce_accounts.salesforce_account_name) as account_name,
        salesforce_accounts.salesforce_account_name,
        salesforce_accounts.segment,
        salesforce_accounts.owner_email,

        -- measures
        {%- for relation, measures in counts.items() -%}
        {%- for measure in measures %}
        cast(coalesce({{ relation }}.{{ measure }}, 0) as bigint) as {{ measure }},
        {%- endfor -%}
        {%- endfor %}

        -- rates
        {{ ratio('csat.csat_score_sum', 'csat.csat_answers') }} as csat_avg
    from spine
    left join activity
        on {{ on_spine('activity', grain, grain) }}
    left join csat
        on {{ on_spine('csat', grain, grain) }}
    left join accounts
        on spine.account_id = accounts.account_id
    left join salesforce_accounts
        on spine.salesforce_account_id = salesforce_accounts.salesforce_account_id

)

select * from final
{%- endmacro %}
