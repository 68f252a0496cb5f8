with current_tags as (

    {{ current_rows('def_bronze', 'PYLON_TAGS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,

        -- strings
        {{ text('VALUE') }} as VALUE,
        {{ text('OBJECT_TYPE') }} as OBJECT_TYPE,
        {{ text('HEX_COLOR') }} as HEX_COLOR,

        -- record
        {{ record_columns() }}
    from current_tags

)

select * from final
