with current_companies as (

    {{ current_rows('def_bronze', 'PLAIN_COMPANIES') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ json_text('ACCOUNT_OWNER', 'id') }} as ACCOUNT_OWNER_ID,
        {{ json_text('TIER', 'id') }} as TIER_ID,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ text('DOMAIN_NAME') }} as DOMAIN_NAME,

        -- booleans
        {{ boolean('IS_DELETED') }} as IS_DELETED_IN_PLAIN,

        -- timestamps
        {{ json_timestamp('DELETED_AT', 'iso8601') }} as DELETED_IN_PLAIN_AT,
        {{ json_timestamp('CREATED_AT', 'iso8601') }} as CREATED_AT,
        {{ json_timestamp('UPDATED_AT', 'iso8601') }} as UPDATED_AT,

        -- measures
        {{ whole_number('CONTRACT_VALUE') }} as CONTRACT_VALUE_CENTS,

        -- record
        {{ record_columns() }}
    from current_companies

)

select * from final
