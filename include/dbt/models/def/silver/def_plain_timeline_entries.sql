with current_timeline_entries as (

    {{ current_rows('def_bronze', 'PLAIN_TIMELINE_ENTRIES') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('THREAD_ID') }} as THREAD_ID,
        {{ text('CUSTOMER_ID') }} as CUSTOMER_ID,
        {{ json_first('ACTOR', 'userId', 'machineUserId', 'customerId', 'systemId') }} as ACTOR_ID,
        {{ json_first(
            'ENTRY', 'emailId', 'chatId', 'noteId', 'discordMessageId', 'msTeamsMessageId', 'messageId'
        ) }} as MESSAGE_ID,
        {{ json_text('ENTRY', 'childThreadDetails', 'id') }} as MERGED_THREAD_ID,
        {{ json_text('ENTRY', 'childTimelineEntry', 'id') }} as MERGED_ENTRY_ID,
        {{ json_text('ENTRY', 'surveyResponseId') }} as SURVEY_RESPONSE_ID,
        {{ json_first(
            'ENTRY', ['previousAssignee', 'userId'], ['previousAssignee', 'machineUserId'],
            ['previousAssignee', 'systemId']
        ) }} as PREVIOUS_ASSIGNEE_ID,
        {{ json_first(
            'ENTRY', ['nextAssignee', 'userId'], ['nextAssignee', 'machineUserId'], ['nextAssignee', 'systemId']
        ) }} as NEXT_ASSIGNEE_ID,
        {{ json_text('ENTRY', 'serviceLevelAgreement', 'id') }} as SERVICE_LEVEL_AGREEMENT_ID,

        -- strings
        {{ json_text('ENTRY', '__typename') }} as ENTRY_KIND,
        {{ json_text('ACTOR', '__typename') }} as ACTOR_KIND,
        {{ json_first(
            'ENTRY', 'textContent', 'chatText', 'slackText', 'teamsText', 'discordText', 'helpCenterText',
            'noteText', 'title'
        ) }} as ENTRY_TEXT,
        {{ json_text('ENTRY', 'subject') }} as EMAIL_SUBJECT,
        {{ json_text('ENTRY', 'category') }} as EMAIL_CATEGORY,
        {{ json_text('ENTRY', 'sendStatus') }} as EMAIL_SEND_STATUS,
        {{ json_text('ENTRY', 'from', 'email') }} as FROM_EMAIL,
        {{ json_text('ENTRY', 'from', 'emailActor', '__typename') }} as FROM_EMAIL_KIND,
        {{ json_text('ENTRY', 'customType') }} as CUSTOM_TYPE,
        {{ json_text('ENTRY', 'previousThreadStatus') }} as PREVIOUS_STATUS,
        {{ json_text('ENTRY', 'nextThreadStatus') }} as NEXT_STATUS,
        {{ json_text('ENTRY', 'previousStatusDetail', '__typename') }} as PREVIOUS_STATUS_DETAIL_KIND,
        {{ json_text('ENTRY', 'nextStatusDetail', '__typename') }} as NEXT_STATUS_DETAIL_KIND,
        {{ json_text('ENTRY', 'previousSlaStatus') }} as PREVIOUS_SLA_STATUS,
        {{ json_text('ENTRY', 'nextSlaStatus') }} as NEXT_SLA_STATUS,
        {{ json_text('ENTRY', 'serviceLevelAgreement', '__typename') }} as SERVICE_LEVEL_AGREEMENT_KIND,

        -- booleans
        {{ json_boolean('ENTRY', 'isStartOfThread') }} as IS_START_OF_THREAD,
        {{ json_boolean('ENTRY', 'isEdited') }} as IS_EDITED,

        -- timestamps
        {{ json_timestamp('TIMESTAMP', 'iso8601') }} as OCCURRED_AT,
        {{ json_timestamp('ENTRY', 'receivedAt', 'iso8601') }} as EMAIL_RECEIVED_AT,
        {{ json_timestamp('ENTRY', 'sentAt', 'iso8601') }} as EMAIL_SENT_AT,

        -- measures
        {{ json_number('ENTRY', 'previousPriority') }} as PREVIOUS_PRIORITY,
        {{ json_number('ENTRY', 'nextPriority') }} as NEXT_PRIORITY,

        -- documents
        {{ json_document('ENTRY') }} as ENTRY,

        -- record
        {{ record_columns(parent=true) }}
    from current_timeline_entries

)

select * from final
