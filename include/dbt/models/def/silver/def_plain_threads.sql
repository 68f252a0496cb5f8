with current_threads as (

    {{ current_rows('def_bronze', 'PLAIN_THREADS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('REF') }} as REF,
        {{ text('EXTERNAL_ID') }} as EXTERNAL_ID,
        {{ json_text('CUSTOMER', 'id') }} as CUSTOMER_ID,
        {{ json_text('CUSTOMER', 'company', 'id') }} as COMPANY_ID,
        {{ json_text('TENANT', 'id') }} as TENANT_ID,
        {{ json_text('TIER', 'id') }} as TIER_ID,
        {{ json_first('ASSIGNED_TO', 'userId', 'machineUserId', 'systemId') }} as ASSIGNEE_ID,
        {{ json_first('CREATED_BY', 'userId', 'machineUserId', 'customerId', 'systemId') }} as CREATED_BY_ID,
        {{ json_first('UPDATED_BY', 'userId', 'machineUserId', 'customerId', 'systemId') }} as UPDATED_BY_ID,
        {{ json_first(
            'STATUS_CHANGED_BY', 'userId', 'machineUserId', 'customerId', 'systemId'
        ) }} as STATUS_CHANGED_BY_ID,
        {{ json_text('SURVEY_RESPONSE', 'id') }} as SURVEY_RESPONSE_ID,
        {{ json_text('SURVEY_RESPONSE', 'surveyId') }} as SURVEY_ID,

        -- strings
        {{ text('TITLE') }} as TITLE,
        {{ text('DESCRIPTION') }} as DESCRIPTION,
        {{ text('PREVIEW_TEXT') }} as PREVIEW_TEXT,
        {{ text('STATUS') }} as STATUS,
        {{ json_text('STATUS_DETAIL', '__typename') }} as STATUS_DETAIL_KIND,
        {{ text('CHANNEL') }} as CHANNEL,
        {{ json_text('CHANNEL_DETAILS', '__typename') }} as CHANNEL_DETAILS_KIND,
        {{ json_text('CHANNEL_DETAILS', 'importSourceUrl') }} as IMPORT_SOURCE_URL,
        {{ json_text('ASSIGNED_TO', '__typename') }} as ASSIGNEE_KIND,
        {{ json_text('CREATED_BY', '__typename') }} as CREATED_BY_KIND,
        {{ json_text('UPDATED_BY', '__typename') }} as UPDATED_BY_KIND,
        {{ json_text('STATUS_CHANGED_BY', '__typename') }} as STATUS_CHANGED_BY_KIND,
        {{ json_text('FIRST_INBOUND_MESSAGE_INFO', 'messageSource') }} as FIRST_INBOUND_MESSAGE_SOURCE,
        {{ json_text('FIRST_OUTBOUND_MESSAGE_INFO', 'messageSource') }} as FIRST_OUTBOUND_MESSAGE_SOURCE,
        {{ json_text('LAST_INBOUND_MESSAGE_INFO', 'messageSource') }} as LAST_INBOUND_MESSAGE_SOURCE,
        {{ json_text('LAST_OUTBOUND_MESSAGE_INFO', 'messageSource') }} as LAST_OUTBOUND_MESSAGE_SOURCE,
        {{ json_text(
            'SERVICE_LEVEL_AGREEMENT_STATUS_SUMMARY', 'firstResponseTime', '__typename'
        ) }} as FIRST_RESPONSE_SLA_STATUS,
        {{ json_text(
            'SERVICE_LEVEL_AGREEMENT_STATUS_SUMMARY', 'nextResponseTime', '__typename'
        ) }} as NEXT_RESPONSE_SLA_STATUS,
        {{ json_text('SURVEY_RESPONSE', 'sentiment') }} as SURVEY_SENTIMENT,
        {{ json_text('SURVEY_RESPONSE', 'comment') }} as SURVEY_COMMENT,
        {{ text_array('SUPPORT_EMAIL_ADDRESSES') }} as SUPPORT_EMAIL_ADDRESSES,

        -- thread fields
        {{ thread_field('THREAD_FIELDS', 'category') }} as CATEGORY,
        {{ thread_field('THREAD_FIELDS', 'handler') }} as HANDLER,
        {{ thread_field('THREAD_FIELDS', 'resolution-type') }} as RESOLUTION_TYPE,
        {{ thread_field('THREAD_FIELDS', 'self-servable') }} as SELF_SERVABLE,

        -- timestamps
        {{ json_timestamp('CREATED_AT', 'iso8601') }} as CREATED_AT,
        {{ json_timestamp('UPDATED_AT', 'iso8601') }} as UPDATED_AT,
        {{ json_timestamp('STATUS_CHANGED_AT', 'iso8601') }} as STATUS_CHANGED_AT,
        {{ json_timestamp('STATUS_DETAIL', 'waitingUntil', 'iso8601') }} as WAITING_UNTIL,
        {{ json_timestamp('ASSIGNED_AT', 'iso8601') }} as ASSIGNED_AT,
        {{ json_timestamp('FIRST_INBOUND_MESSAGE_INFO', 'timestamp', 'iso8601') }} as FIRST_INBOUND_MESSAGE_AT,
        {{ json_timestamp('FIRST_OUTBOUND_MESSAGE_INFO', 'timestamp', 'iso8601') }} as FIRST_OUTBOUND_MESSAGE_AT,
        {{ json_timestamp('LAST_INBOUND_MESSAGE_INFO', 'timestamp', 'iso8601') }} as LAST_INBOUND_MESSAGE_AT,
        {{ json_timestamp('LAST_OUTBOUND_MESSAGE_INFO', 'timestamp', 'iso8601') }} as LAST_OUTBOUND_MESSAGE_AT,
        {{ json_timestamp('SURVEY_RESPONSE', 'createdAt', 'iso8601') }} as SURVEY_SENT_AT,
        {{ json_timestamp('SURVEY_RESPONSE', 'respondedAt', 'iso8601') }} as SURVEY_RESPONDED_AT,

        -- measures
        {{ whole_number('PRIORITY') }} as PRIORITY,
        {{ json_number('SURVEY_RESPONSE', 'rating') }} as SURVEY_RATING,

        -- documents
        {{ json_document('LABELS') }} as LABELS,
        {{ json_document('THREAD_FIELDS') }} as THREAD_FIELDS,
        {{ json_document('LINKS') }} as LINKS,
        {{ json_document('SERVICE_LEVEL_AGREEMENT_STATUS_SUMMARY') }} as SERVICE_LEVEL_AGREEMENT_STATUS_SUMMARY,

        -- record
        {{ record_columns() }}
    from current_threads

)

select * from final
