with current_roster_def as (

    {{ current_rows('core_bronze', 'ROSTER_DEF') }}

),

final as (

    select
        -- ids
        {{ text('EMPLOYEE_ID') }} as EMPLOYEE_ID,
        {{ text('MANAGER_EMPLOYEE_ID') }} as MANAGER_EMPLOYEE_ID,

        -- strings
        {{ text('FULL_NAME') }} as FULL_NAME,
        {{ text('EMAIL') }} as EMAIL,
        {{ text('TEAM') }} as TEAM,
        {{ text('ROLE') }} as ROLE,
        {{ text('EMPLOYMENT_STATUS') }} as EMPLOYMENT_STATUS,
        {{ text('WAVE') }} as HIRING_WAVE,
        {{ text('LOCATION') }} as LOCATION,

        -- dates
        {{ iso_date('HIRE_DATE') }} as HIRE_DATE,
        {{ iso_date('TERMINATION_DATE') }} as TERMINATION_DATE,

        -- record
        {{ record_columns() }}
    from current_roster_def

)

select * from final
