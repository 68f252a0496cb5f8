with current_rows_of_pylon_teams as (

    {{ current_rows('def_bronze', 'PYLON_TEAMS') }}

),

final as (

    select
        {{ text('NAME') }} as NAME,
        {{ record_columns() }}
    from current_rows_of_pylon_teams

)

select * from final
