{#- The KPI domain "categories": what tickets are about, and how they were solved. -#}
{% macro ticket_category_channel_daily(client) -%}
{%- set grain = [
    'category', 'handler', 'resolution_type', 'self_servable', 'priority', 'support_system', 'channel',
] -%}

with tickets as (

    select * from {{ ref('fct_' ~ client ~ '_tickets') }}

),

activity as (

    select
        created_date as metric_date,
        {{ grain | join(', ') }},
        1 as tickets_created,
        0 as tickets_resolved
    from tickets
    union all
    select
        resolved_date as metric_date,
        {{ grain | join(', ') }},
        0 as tickets_created,
        1 as tickets_resolved
    from tickets
    where is_resolved

),

summed as (

    {{ summed_to('activity', ['metric_date'] + grain, ['tickets_created', 'tickets_resolved']) }}

),

final as (

    select
        cast({{ surrogate_key(['metric_date'] + grain) }} as varchar) as ticket_category_channel_daily_key,

        -- grain
        cast(metric_date as date) as metric_date,
        {%- for column in grain %}
        cast({{ column }} as varchar) as {{ column }},
        {%- endfor %}

        -- measures
        cast(tickets_created as bigint) as tickets_created,
        cast(tickets_resolved as bigint) as tickets_resolved
    from summed

)

select * from final
{%- endmacro %}


{#- The same per category, whoever and however solved it. -#}
{% macro categories_daily(client) -%}
{%- set grain = ['metric_date', 'category', 'support_system', 'channel'] -%}

with tickets as (

    select * from {{ ref('agg_' ~ client ~ '_ticket_category_channel_daily') }}

),

summed as (

    select
        {{ grain | join(', ') }},
        sum(tickets_created) as tickets_created,
        sum(tickets_resolved) as tickets_resolved,
        sum(case when self_servable = 'yes' then tickets_resolved else 0 end) as self_servable_tickets_resolved,
        sum(case when handler = 'engineer' then tickets_resolved else 0 end) as engineer_tickets_resolved
    from tickets
    group by {{ grain | join(', ') }}

),

final as (

    select
        cast({{ surrogate_key(grain) }} as varchar) as categories_daily_key,

        -- grain
        metric_date,
        coalesce(category, 'not categorised') as category,
        support_system,
        channel,

        -- measures
        cast(tickets_created as bigint) as tickets_created,
        cast(tickets_resolved as bigint) as tickets_resolved,
        cast(self_servable_tickets_resolved as bigint) as self_servable_tickets_resolved,
        cast(engineer_tickets_resolved as bigint) as engineer_tickets_resolved,

        -- rates
        {{ ratio('self_servable_tickets_resolved', 'tickets_resolved', '100.0') }} as self_servable_pct
    from summed

)

select * from final
{%- endmacro %}
