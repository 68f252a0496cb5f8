with current_custom_fields as (

    {{ current_rows('def_bronze', 'PYLON_CUSTOM_FIELDS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('SLUG') }} as SLUG,

        -- strings
        {{ text('LABEL') }} as LABEL,
        {{ text('DESCRIPTION') }} as DESCRIPTION,
        {{ text('TYPE') }} as TYPE,
        {{ text('OBJECT_TYPE') }} as OBJECT_TYPE,
        {{ text('SOURCE') }} as SOURCE,
        {{ text('DEFAULT_VALUE') }} as DEFAULT_VALUE,
        {{ text_array('DEFAULT_VALUES') }} as DEFAULT_VALUES,

        -- booleans
        {{ boolean('IS_READ_ONLY') }} as IS_READ_ONLY,

        -- timestamps
        {{ utc_timestamp('CREATED_AT') }} as CREATED_AT,
        {{ utc_timestamp('UPDATED_AT') }} as UPDATED_AT,

        -- documents
        {{ json_document('SELECT_METADATA') }} as SELECT_METADATA,
        {{ json_document('NUMBER_METADATA') }} as NUMBER_METADATA,

        -- record
        {{ record_columns() }}
    from current_custom_fields

)

select * from final
