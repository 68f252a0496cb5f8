{#-
    What each of our agents' days was made of, one row each.

    source_category: 3 (the workforce tool has everybody's employees, and nothing in it says whose they are)
    xo_filter_strategy: inner join the roster; whoever is not on it is in fct_def_exclusions
    join_key: employee_id
-#}
with agent_days as (

    select * from {{ ref('def_wfm_agent_days') }}

),

employees as (

    select * from {{ ref('dim_employee_def') }}

),

final as (

    select
        -- surrogate key
        cast(agent_days.record_key as varchar) as agent_day_key,

        -- ids
        employees.eid,

        -- strings
        cast({{ tenure_bucket('employees.hire_date', 'agent_days.work_date') }} as varchar) as tenure_bucket,
        employees.wave_period,

        -- booleans
        employees.is_support_agent,

        -- dates, in the reporting zone
        cast(agent_days.work_date as date) as work_date,

        -- measures
        cast(agent_days.scheduled_seconds as bigint) as scheduled_seconds,
        cast(agent_days.active_seconds as bigint) as active_seconds,
        cast(agent_days.handle_seconds as bigint) as handle_seconds,
        cast(agent_days.after_contact_work_seconds as bigint) as after_contact_work_seconds,
        cast(agent_days.break_seconds as bigint) as break_seconds,

        -- lineage
        cast(agent_days.source_file as varchar) as source_file,
        cast(agent_days.batch_id as varchar) as batch_id,
        cast(agent_days.pipeline_run_id as varchar) as pipeline_run_id
    from agent_days
    inner join employees
        on agent_days.employee_id = employees.eid
    where not agent_days.is_deleted

)

select * from final
