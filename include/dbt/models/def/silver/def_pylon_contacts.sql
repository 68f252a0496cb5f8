with current_contacts as (

    {{ current_rows('def_bronze', 'PYLON_CONTACTS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ json_text('ACCOUNT', 'id') }} as ACCOUNT_ID,
        {{ text('PORTAL_ROLE_ID') }} as PORTAL_ROLE_ID,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ text('EMAIL') }} as EMAIL,
        {{ text_array('EMAILS') }} as EMAILS,
        {{ text_array('PHONE_NUMBERS') }} as PHONE_NUMBERS,
        {{ text('PRIMARY_PHONE_NUMBER') }} as PRIMARY_PHONE_NUMBER,
        {{ text('AVATAR_URL') }} as AVATAR_URL,
        {{ text('PORTAL_ROLE') }} as PORTAL_ROLE,

        -- documents
        {{ json_document('EXTERNAL_IDS') }} as EXTERNAL_IDS,
        {{ json_document('INTEGRATION_USER_IDS') }} as INTEGRATION_USER_IDS,
        {{ json_document('CUSTOM_FIELDS') }} as CUSTOM_FIELDS,

        -- record
        {{ record_columns() }}
    from current_contacts

)

select * from final
