with current_customers as (

    {{ current_rows('def_bronze', 'PLAIN_CUSTOMERS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('EXTERNAL_ID') }} as EXTERNAL_ID,
        {{ json_text('COMPANY', 'id') }} as COMPANY_ID,
        {{ json_text('ASSIGNED_TO_USER', 'userId') }} as ASSIGNED_TO_USER_ID,

        -- strings
        {{ text('FULL_NAME') }} as FULL_NAME,
        {{ text('SHORT_NAME') }} as SHORT_NAME,
        {{ json_text('EMAIL', 'email') }} as EMAIL,

        -- booleans
        {{ json_boolean('EMAIL', 'isVerified') }} as EMAIL_IS_VERIFIED,
        {{ boolean('IS_ANONYMOUS') }} as IS_ANONYMOUS,

        -- timestamps
        {{ json_timestamp('MARKED_AS_SPAM_AT', 'iso8601') }} as MARKED_AS_SPAM_AT,
        {{ json_timestamp('CREATED_AT', 'iso8601') }} as CREATED_AT,
        {{ json_timestamp('UPDATED_AT', 'iso8601') }} as UPDATED_AT,

        -- record
        {{ record_columns() }}
    from current_customers

)

select * from final
