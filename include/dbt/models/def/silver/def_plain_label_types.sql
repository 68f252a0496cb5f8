with current_label_types as (

    {{ current_rows('def_bronze', 'PLAIN_LABEL_TYPES') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('EXTERNAL_ID') }} as EXTERNAL_ID,
        {{ json_text('PARENT_LABEL_TYPE', 'id') }} as PARENT_LABEL_TYPE_ID,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ text('DESCRIPTION') }} as DESCRIPTION,
        {{ text('COLOR') }} as COLOR,
        {{ text('ICON') }} as ICON,
        {{ text('POSITION') }} as POSITION,

        -- booleans
        {{ boolean('IS_ARCHIVED') }} as IS_ARCHIVED,

        -- timestamps
        {{ json_timestamp('ARCHIVED_AT', 'iso8601') }} as ARCHIVED_AT,
        {{ json_timestamp('CREATED_AT', 'iso8601') }} as CREATED_AT,
        {{ json_timestamp('UPDATED_AT', 'iso8601') }} as UPDATED_AT,

        -- record
        {{ record_columns() }}
    from current_label_types

)

select * from final
