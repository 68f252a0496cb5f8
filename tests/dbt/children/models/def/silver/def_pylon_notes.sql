with current_notes as (

    {{ current_rows('def_bronze', 'PYLON_NOTES') }}

),

final as (

    select
        {{ text('ID') }} as ID,
        {{ text('TITLE') }} as TITLE,
        {{ utc_timestamp('UPDATED_AT') }} as UPDATED_AT,
        {{ whole_number('SEEN_COUNT') }} as SEEN_COUNT,
        {{ record_columns(parent=true) }}
    from current_notes

)

select * from final
