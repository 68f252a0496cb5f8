with current_machine_users as (

    {{ current_rows('def_bronze', 'PLAIN_MACHINE_USERS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,

        -- strings
        {{ text('FULL_NAME') }} as FULL_NAME,
        {{ text('PUBLIC_NAME') }} as PUBLIC_NAME,
        {{ text('DESCRIPTION') }} as DESCRIPTION,
        {{ text('TYPE') }} as TYPE,

        -- booleans
        {{ boolean('IS_DELETED') }} as IS_DELETED_IN_PLAIN,

        -- timestamps
        {{ json_timestamp('DELETED_AT', 'iso8601') }} as DELETED_IN_PLAIN_AT,
        {{ json_timestamp('CREATED_AT', 'iso8601') }} as CREATED_AT,
        {{ json_timestamp('UPDATED_AT', 'iso8601') }} as UPDATED_AT,

        -- record
        {{ record_columns() }}
    from current_machine_users

)

select * from final
