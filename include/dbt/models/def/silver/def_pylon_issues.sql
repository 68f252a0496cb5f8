with current_issues as (

    {{ current_rows('def_bronze', 'PYLON_ISSUES') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ whole_number('NUMBER') }} as NUMBER,
        {{ json_text('ACCOUNT', 'id') }} as ACCOUNT_ID,
        {{ json_text('ASSIGNEE', 'id') }} as ASSIGNEE_ID,
        {{ json_text('REQUESTER', 'id') }} as REQUESTER_ID,
        {{ json_text('TEAM', 'id') }} as TEAM_ID,
        {{ json_text('PARENT_ISSUE_GROUP', 'id') }} as PARENT_ISSUE_GROUP_ID,

        -- strings
        {{ text('TITLE') }} as TITLE,
        {{ text('LINK') }} as LINK,
        {{ text('BODY_HTML') }} as BODY_HTML,
        {{ text('STATE') }} as STATE,
        {{ text('SOURCE') }} as SOURCE,
        {{ text('TYPE') }} as TYPE,
        {{ text('WORKSPACE_EMAIL') }} as WORKSPACE_EMAIL,
        {{ json_text('ASSIGNEE', 'email') }} as ASSIGNEE_EMAIL,
        {{ json_text('REQUESTER', 'email') }} as REQUESTER_EMAIL,
        {{ json_text('SLACK', 'workspace_id') }} as SLACK_WORKSPACE_ID,
        {{ json_text('SLACK', 'channel_id') }} as SLACK_CHANNEL_ID,
        {{ json_text('SLACK', 'message_ts') }} as SLACK_MESSAGE_TS,
        {{ json_text('CHAT_WIDGET_INFO', 'page_url') }} as CHAT_WIDGET_PAGE_URL,
        {{ text_array('TAGS') }} as TAGS,
        {{ text_array('ATTACHMENT_URLS') }} as ATTACHMENT_URLS,

        -- custom fields
        {{ custom_field('CUSTOM_FIELDS', 'priority') }} as PRIORITY,
        {{ custom_field('CUSTOM_FIELDS', 'category') }} as CATEGORY,
        {{ custom_field('CUSTOM_FIELDS', 'handler') }} as HANDLER,
        {{ custom_field('CUSTOM_FIELDS', 'resolution-type') }} as RESOLUTION_TYPE,
        {{ custom_field('CUSTOM_FIELDS', 'self-servable') }} as SELF_SERVABLE,

        -- booleans
        {{ boolean('CUSTOMER_PORTAL_VISIBLE') }} as CUSTOMER_PORTAL_VISIBLE,
        {{ boolean('AUTHOR_UNVERIFIED') }} as AUTHOR_UNVERIFIED,
        {{ boolean('IS_ISSUE_GROUP') }} as IS_ISSUE_GROUP,

        -- timestamps
        {{ utc_timestamp('CREATED_AT') }} as CREATED_AT,
        {{ utc_timestamp('UPDATED_AT') }} as UPDATED_AT,
        {{ utc_timestamp('FIRST_RESPONSE_TIME') }} as FIRST_RESPONSE_TIME,
        {{ utc_timestamp('RESOLUTION_TIME') }} as RESOLUTION_TIME,
        {{ utc_timestamp('FIRST_RESOLUTION_TIME') }} as FIRST_RESOLUTION_TIME,
        {{ utc_timestamp('LATEST_MESSAGE_TIME') }} as LATEST_MESSAGE_TIME,
        {{ utc_timestamp('FIRST_RESPONSE_BREACH_TIME') }} as FIRST_RESPONSE_BREACH_TIME,
        {{ utc_timestamp('RESOLUTION_BREACH_TIME') }} as RESOLUTION_BREACH_TIME,
        {{ utc_timestamp('SNOOZED_UNTIL_TIME') }} as SNOOZED_UNTIL_TIME,

        -- measures
        {{ whole_number('NUMBER_OF_TOUCHES') }} as NUMBER_OF_TOUCHES,
        {{ whole_number('FIRST_RESPONSE_SECONDS') }} as FIRST_RESPONSE_SECONDS,
        {{ whole_number('BUSINESS_HOURS_FIRST_RESPONSE_SECONDS') }} as BUSINESS_HOURS_FIRST_RESPONSE_SECONDS,
        {{ whole_number('RESOLUTION_SECONDS') }} as RESOLUTION_SECONDS,
        {{ whole_number('BUSINESS_HOURS_RESOLUTION_SECONDS') }} as BUSINESS_HOURS_RESOLUTION_SECONDS,
        {{ whole_number('ACTIVE_TIME_SECONDS') }} as ACTIVE_TIME_SECONDS,
        {{ whole_number('BUSINESS_HOURS_ACTIVE_TIME_SECONDS') }} as BUSINESS_HOURS_ACTIVE_TIME_SECONDS,

        -- documents
        {{ json_document('CUSTOM_FIELDS') }} as CUSTOM_FIELDS,
        {{ json_document('EXTERNAL_ISSUES') }} as EXTERNAL_ISSUES,
        {{ json_document('EXTERNAL_INCIDENTS') }} as EXTERNAL_INCIDENTS,
        {{ json_document('CSAT_RESPONSES') }} as CSAT_RESPONSES,
        {{ json_document('TEAM_SLAS') }} as TEAM_SLAS,
        {{ json_document('TIME_IN_STATUS_SECONDS') }} as TIME_IN_STATUS_SECONDS,
        {{ json_document('BUSINESS_HOURS_TIME_IN_STATUS_SECONDS') }} as BUSINESS_HOURS_TIME_IN_STATUS_SECONDS,
        {{ json_document('ACTIVE_TIME_BY_USER') }} as ACTIVE_TIME_BY_USER,
        {{ json_document('CHILD_ISSUES') }} as CHILD_ISSUES,

        -- record
        {{ record_columns() }}
    from current_issues

)

select * from final
