with current_wfm_agent_days as (

    {{ current_rows('def_bronze', 'WFM_AGENT_DAYS') }}

),

final as (

    select
        -- ids
        {{ text('EMPLOYEE_ID') }} as EMPLOYEE_ID,

        -- dates
        {{ iso_date('WORK_DATE') }} as WORK_DATE,

        -- measures
        {{ whole_number('SCHEDULED_SECONDS') }} as SCHEDULED_SECONDS,
        {{ whole_number('ACTIVE_SECONDS') }} as ACTIVE_SECONDS,
        {{ whole_number('HANDLE_SECONDS') }} as HANDLE_SECONDS,
        {{ whole_number('AFTER_CONTACT_WORK_SECONDS') }} as AFTER_CONTACT_WORK_SECONDS,
        {{ whole_number('BREAK_SECONDS') }} as BREAK_SECONDS,

        -- record
        {{ record_columns() }}
    from current_wfm_agent_days

)

select * from final
