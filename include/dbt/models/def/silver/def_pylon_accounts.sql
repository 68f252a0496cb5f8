with current_accounts as (

    {{ current_rows('def_bronze', 'PYLON_ACCOUNTS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ json_text('OWNER', 'id') }} as OWNER_ID,
        {{ text('PARENT_ACCOUNT_ID') }} as PARENT_ACCOUNT_ID,
        {{ text_array('SUBACCOUNT_IDS') }} as SUBACCOUNT_IDS,
        {{ text_array('ASSOCIATED_ACCOUNT_IDS') }} as ASSOCIATED_ACCOUNT_IDS,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ text('TYPE') }} as TYPE,
        {{ text('DOMAIN') }} as DOMAIN,
        {{ text('PRIMARY_DOMAIN') }} as PRIMARY_DOMAIN,
        {{ text_array('DOMAINS') }} as DOMAINS,
        {{ text_array('TAGS') }} as TAGS,
        {{ text('LOGO_URL') }} as LOGO_URL,

        -- booleans
        {{ boolean('IS_DISABLED') }} as IS_DISABLED,

        -- timestamps
        {{ utc_timestamp('CREATED_AT') }} as CREATED_AT,
        {{ utc_timestamp('UPDATED_AT') }} as UPDATED_AT,
        {{ utc_timestamp('LATEST_CUSTOMER_ACTIVITY_TIME') }} as LATEST_CUSTOMER_ACTIVITY_TIME,

        -- documents
        {{ json_document('CHANNELS') }} as CHANNELS,
        {{ json_document('CUSTOM_FIELDS') }} as CUSTOM_FIELDS,
        {{ json_document('EXTERNAL_IDS') }} as EXTERNAL_IDS,
        {{ json_document('CRM_SETTINGS') }} as CRM_SETTINGS,

        -- record
        {{ record_columns() }}
    from current_accounts

)

select * from final
