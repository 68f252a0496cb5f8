with roster as (

    select * from {{ ref('core_roster_def') }}

),

final as (

    select
        -- ids
        cast(roster.employee_id as varchar) as eid,
        cast(roster.manager_employee_id as varchar) as leader_eid,

        -- strings
        cast(roster.full_name as varchar) as employee_name,
        cast(lower(trim(roster.email)) as varchar) as email,
        cast(roster.team as varchar) as team,
        cast(leaders.full_name as varchar) as leader_name,
        cast(roster.role as varchar) as employee_role,
        cast(roster.hiring_wave as varchar) as wave_period,
        cast(roster.location as varchar) as location,
        cast(roster.employment_status as varchar) as employment_status,

        -- booleans
        cast(lower(trim(roster.team)) = 'support' as boolean) as is_support_agent,
        cast(row_number() over (
            partition by lower(trim(roster.email))
            order by
                roster.is_deleted asc,
                roster.termination_date desc nulls first,
                roster.hire_date desc,
                roster.employee_id asc
        ) = 1 as boolean) as is_email_owner,
        cast(roster.is_deleted as boolean) as has_left_the_roster,

        -- dates
        cast(roster.hire_date as date) as hire_date,
        cast(roster.termination_date as date) as termination_date
    from roster
    left join roster as leaders
        on roster.manager_employee_id = leaders.employee_id

)

select * from final
