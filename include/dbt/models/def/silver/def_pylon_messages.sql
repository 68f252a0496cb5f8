with current_messages as (

    {{ current_rows('def_bronze', 'PYLON_MESSAGES') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('PARENT_KEY') }} as ISSUE_ID,
        {{ text('THREAD_ID') }} as THREAD_ID,
        {{ json_text('AUTHOR', 'user', 'id') }} as AUTHOR_USER_ID,
        {{ json_text('AUTHOR', 'contact', 'id') }} as AUTHOR_CONTACT_ID,
        {{ json_text('EMAIL_INFO', 'message_id') }} as EMAIL_MESSAGE_ID,

        -- strings
        {{ text('MESSAGE_HTML') }} as MESSAGE_HTML,
        {{ text('SOURCE') }} as SOURCE,
        {{ json_text('AUTHOR', 'name') }} as AUTHOR_NAME,
        {{ json_text('AUTHOR', 'user', 'email') }} as AUTHOR_USER_EMAIL,
        {{ json_text('AUTHOR', 'contact', 'email') }} as AUTHOR_CONTACT_EMAIL,
        {{ json_text('EMAIL_INFO', 'from_email') }} as FROM_EMAIL,
        {{ json_text('EMAIL_INFO', 'sender_authentication_status') }} as SENDER_AUTHENTICATION_STATUS,
        {{ text_array('FILE_URLS') }} as FILE_URLS,

        -- booleans
        {{ boolean('IS_PRIVATE') }} as IS_PRIVATE,
        {{ boolean('AUTHOR_UNVERIFIED') }} as AUTHOR_UNVERIFIED,

        -- timestamps
        {{ utc_timestamp('TIMESTAMP') }} as SENT_AT,

        -- documents
        {{ json_document('EMAIL_INFO') }} as EMAIL_INFO,

        -- record
        {{ record_columns(parent=true) }}
    from current_messages

)

select * from final
