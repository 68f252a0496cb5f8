with current_surveys as (

    {{ current_rows('def_bronze', 'PYLON_SURVEYS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ text('TYPE') }} as TYPE,

        -- timestamps
        {{ utc_timestamp('UPDATED_AT') }} as UPDATED_AT,

        -- record
        {{ record_columns() }}
    from current_surveys

)

select * from final
