{#-
    The KPI domain "ticket activity": what happened to a client's tickets, per day, account, system and channel. A ticket
    counts on the day it was created and again on the day it was resolved; a message on the day it was sent.

    Every client's aggregate and report is made here, so that their columns are the same by construction.
-#}
{% macro ticket_activity_channel_daily(client) -%}
{%- set grain = [
    'account_id', 'customer_id', 'account_domain', 'salesforce_account_id', 'support_system', 'channel',
] -%}
{%- set measures = [
    'tickets_created', 'tickets_resolved', 'messages_created', 'customer_messages_created', 'agent_messages_created',
    'notes_created', 'resolution_calendar_seconds_sum', 'resolution_calendar_seconds_count',
] -%}

with tickets as (

    select * from {{ ref('fct_' ~ client ~ '_tickets') }}

),

messages as (

    select * from {{ ref('fct_' ~ client ~ '_messages') }}

),

created as (

    select
        created_date as metric_date,
        {{ grain | join(', ') }},
        1 as tickets_created,
        0 as tickets_resolved,
        0 as messages_created,
        0 as customer_messages_created,
        0 as agent_messages_created,
        0 as notes_created,
        0 as resolution_calendar_seconds_sum,
        0 as resolution_calendar_seconds_count
    from tickets

),

resolved as (

    select
        resolved_date as metric_date,
        {{ grain | join(', ') }},
        0 as tickets_created,
        1 as tickets_resolved,
        0 as messages_created,
        0 as customer_messages_created,
        0 as agent_messages_created,
        0 as notes_created,
        coalesce(resolution_calendar_seconds, 0) as resolution_calendar_seconds_sum,
        case when resolution_calendar_seconds is null then 0 else 1 end as resolution_calendar_seconds_count
    from tickets
    where is_resolved

),

-- A message belongs to its ticket's account and channel, whoever wrote it.
sent as (

    select
        messages.sent_date as metric_date,
        {% for column in grain %}tickets.{{ column }}, {% endfor %}
        0 as tickets_created,
        0 as tickets_resolved,
        case when messages.is_private then 0 else 1 end as messages_created,
        case when messages.author_kind = 'customer' and not messages.is_private then 1 else 0 end
            as customer_messages_created,
        case when messages.author_kind = 'agent' and not messages.is_private then 1 else 0 end
            as agent_messages_created,
        case when messages.is_private then 1 else 0 end as notes_created,
        0 as resolution_calendar_seconds_sum,
        0 as resolution_calendar_seconds_count
    from messages
    inner join tickets
        on messages.ticket_key = tickets.ticket_key

),

activity as (

    select * from created
    union all
    select * from resolved
    union all
    select * from sent

),

summed as (

    select
        metric_date,
        {{ grain | join(', ') }}
        {%- for measure in measures %},
        sum({{ measure }}) as {{ measure }}
        {%- endfor %}
    from activity
    group by metric_date, {{ grain | join(', ') }}

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['metric_date'] + grain) }} as varchar) as ticket_activity_channel_daily_key,

        -- grain
        cast(metric_date as date) as metric_date
        {%- for column in grain %},
        cast({{ column }} as varchar) as {{ column }}
        {%- endfor %},

        -- measures
        {%- for measure in measures %}
        cast({{ measure }} as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from summed

)

select * from final
{%- endmacro %}


{#- The same with labels, and the average, which only the report may show. -#}
{% macro support_tickets_daily(client) -%}
with activity as (

    select * from {{ ref('agg_' ~ client ~ '_ticket_activity_channel_daily') }}

),

accounts as (

    select * from {{ ref('dim_account_' ~ client) }}

),

domains as (

    select * from {{ ref('dim_account_domain_' ~ client) }}

),

salesforce_accounts as (

    select
        salesforce_account_id,
        salesforce_account_name
    from {{ ref('dim_salesforce_account') }}

),

final as (

    select
        -- surrogate key
        activity.ticket_activity_channel_daily_key as support_tickets_daily_key,

        -- grain
        activity.metric_date,
        activity.account_id,
        activity.customer_id,
        activity.salesforce_account_id,
        activity.support_system,
        activity.channel,

        -- labels
        activity.account_domain as domain_name,
        case when domains.is_public_domain then null else activity.account_domain end as domain_key,
        coalesce(accounts.account_name, domain_accounts.account_name, salesforce_accounts.salesforce_account_name)
            as company_name,
        salesforce_accounts.salesforce_account_name,

        -- measures
        activity.tickets_created,
        activity.tickets_resolved,
        activity.messages_created,
        activity.customer_messages_created,
        activity.agent_messages_created,
        activity.notes_created,
        activity.resolution_calendar_seconds_sum,
        activity.resolution_calendar_seconds_count,
        cast(
            activity.resolution_calendar_seconds_sum / 86400.0
            / nullif(activity.resolution_calendar_seconds_count, 0) as double
        ) as avg_ticket_resolution_days
    from activity
    left join accounts
        on activity.account_id = accounts.account_id
    left join domains
        on activity.account_domain = domains.domain_key
    left join accounts as domain_accounts
        on domains.account_id = domain_accounts.account_id
    left join salesforce_accounts
        on activity.salesforce_account_id = salesforce_accounts.salesforce_account_id

)

select * from final
{%- endmacro %}
