{#-
    Everyone who can hold or answer a ticket, by each system's own id, with the employee the roster has for them. A user is
    found on the roster by mail address, whatever its case; one that is not there has no employee.
-#}
with employees as (

    select * from {{ ref('dim_employee_def') }}

),

pylon_users as (

    select * from {{ ref('def_pylon_users') }}

),

plain_users as (

    select * from {{ ref('def_plain_users') }}

),

users as (

    select
        cast('pylon' as varchar) as support_system,
        cast(id as varchar) as user_id,
        cast(lower(trim(email)) as varchar) as email
    from pylon_users
    union all
    select
        cast('plain' as varchar) as support_system,
        cast(id as varchar) as user_id,
        cast(lower(trim(email)) as varchar) as email
    from plain_users

),

final as (

    select
        users.support_system,
        users.user_id,
        users.email,
        employees.eid,
        employees.hire_date,
        employees.wave_period,
        cast(coalesce(employees.is_support_agent, false) as boolean) as is_support_agent
    from users
    left join employees
        on
            users.email = employees.email
            and employees.is_email_owner

)

select * from final
