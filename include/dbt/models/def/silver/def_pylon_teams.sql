with current_teams as (

    {{ current_rows('def_bronze', 'PYLON_TEAMS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ json_text('ASSIGNMENT_CONFIGURATION', 'assignment_method') }} as ASSIGNMENT_METHOD,

        -- documents
        {{ json_document('USERS') }} as USERS,
        {{ json_document('ASSIGNMENT_CONFIGURATION') }} as ASSIGNMENT_CONFIGURATION,
        {{ json_document('SCHEDULE') }} as SCHEDULE,

        -- record
        {{ record_columns() }}
    from current_teams

)

select * from final
