with current_salesforce_accounts as (

    {{ current_rows('core_bronze', 'SALESFORCE_ACCOUNTS') }}

),

final as (

    select
        -- ids
        {{ text('ACCOUNT_ID') }} as ACCOUNT_ID,

        -- strings
        {{ text('ACCOUNT_NAME') }} as ACCOUNT_NAME,
        {{ text('WEBSITE') }} as WEBSITE,
        {{ text('DOMAIN') }} as DOMAIN,
        {{ text('SEGMENT') }} as SEGMENT,
        {{ text('OWNER_EMAIL') }} as OWNER_EMAIL,
        {{ text('BILLING_COUNTRY') }} as BILLING_COUNTRY,

        -- timestamps
        {{ utc_timestamp('CREATED_DATE') }} as CREATED_AT,
        {{ utc_timestamp('LAST_MODIFIED_DATE') }} as LAST_MODIFIED_AT,

        -- measures
        {{ exact_number('ARR', 18, 2) }} as ANNUAL_RECURRING_REVENUE,

        -- record
        {{ record_columns() }}
    from current_salesforce_accounts

)

select * from final
