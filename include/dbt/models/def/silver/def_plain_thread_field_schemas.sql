with current_thread_field_schemas as (

    {{ current_rows('def_bronze', 'PLAIN_THREAD_FIELD_SCHEMAS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('KEY') }} as FIELD_KEY,

        -- strings
        {{ text('LABEL') }} as LABEL,
        {{ text('DESCRIPTION') }} as DESCRIPTION,
        {{ text('TYPE') }} as TYPE,
        {{ text('DEFAULT_STRING_VALUE') }} as DEFAULT_STRING_VALUE,
        {{ text_array('ENUM_VALUES') }} as ENUM_VALUES,

        -- booleans
        {{ boolean('IS_REQUIRED') }} as IS_REQUIRED,
        {{ boolean('DEFAULT_BOOLEAN_VALUE') }} as DEFAULT_BOOLEAN_VALUE,

        -- timestamps
        {{ json_timestamp('CREATED_AT', 'iso8601') }} as CREATED_AT,
        {{ json_timestamp('UPDATED_AT', 'iso8601') }} as UPDATED_AT,

        -- measures
        {{ whole_number('"ORDER"') }} as FIELD_ORDER,

        -- record
        {{ record_columns() }}
    from current_thread_field_schemas

)

select * from final
