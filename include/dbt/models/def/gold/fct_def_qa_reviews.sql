{#-
    Quality reviews of our agents' work, one row each.

    source_category: 2 (others' agents are reviewed in the same place; their mail domain tells them apart)
    xo_filter_strategy: keep reviews of agents with a mail domain that is on the roster, then left join the roster
    join_key: agent_email
-#}
{%- set zone = reporting_timezone('def_bronze') -%}

with reviews as (

    select *
    from {{ ref('int_def_qa_reviews_ruled') }}
    where exclusion_rule is null

),

employees as (

    select * from {{ ref('dim_employee_def') }}

),

dated as (

    select
        reviews.*,
        {{ date_in_zone('reviews.reviewed_at', zone) }} as reviewed_date
    from reviews

),

final as (

    select
        -- ids
        cast(dated.review_id as varchar) as review_id,
        cast(dated.support_system as varchar) as support_system,
        cast(dated.ticket_id as varchar) as ticket_id,
        cast({{ surrogate_key(['dated.support_system', 'dated.ticket_id']) }} as varchar) as ticket_key,
        cast(employees.eid as varchar) as eid,
        cast(dated.agent_email_key as varchar) as agent_email,
        cast(lower(trim(dated.reviewer_email)) as varchar) as reviewer_email,

        -- strings
        cast(dated.channel_formatted as varchar) as channel,
        cast({{ tenure_bucket('employees.hire_date', 'dated.reviewed_date') }} as varchar) as tenure_bucket,
        cast(employees.wave_period as varchar) as wave_period,

        -- booleans
        cast(coalesce(dated.is_critical_error, false) as boolean) as is_critical_error,
        cast(coalesce(employees.is_support_agent, false) as boolean) as is_support_agent,

        -- timestamps, UTC
        cast(dated.reviewed_at as {{ timestamp_type() }}) as reviewed_at,

        -- dates, in the reporting zone
        dated.reviewed_date,

        -- measures
        cast(dated.score as decimal(10, 2)) as score,
        cast(dated.max_score as decimal(10, 2)) as max_score,

        -- lineage
        cast(dated.source_file as varchar) as source_file,
        cast(dated.batch_id as varchar) as batch_id,
        cast(dated.pipeline_run_id as varchar) as pipeline_run_id
    from dated
    left join employees
        on
            dated.agent_email_key = employees.email
            and employees.is_email_owner

)

select * from final
