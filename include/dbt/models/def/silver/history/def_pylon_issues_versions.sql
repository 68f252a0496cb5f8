with versions as (

    {{ version_rows('def_bronze', 'PYLON_ISSUES') }}

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
        {{ text('STATE') }} as STATE,
        {{ text('SOURCE') }} as SOURCE,
        {{ text('TYPE') }} as TYPE,
        {{ text_array('TAGS') }} as TAGS,

        -- custom fields
        {{ custom_field('CUSTOM_FIELDS', 'priority') }} as PRIORITY,
        {{ custom_field('CUSTOM_FIELDS', 'category') }} as CATEGORY,
        {{ custom_field('CUSTOM_FIELDS', 'handler') }} as HANDLER,
        {{ custom_field('CUSTOM_FIELDS', 'resolution-type') }} as RESOLUTION_TYPE,

        -- timestamps
        {{ utc_timestamp('CREATED_AT') }} as CREATED_AT,
        {{ utc_timestamp('UPDATED_AT') }} as UPDATED_AT,
        {{ utc_timestamp('FIRST_RESPONSE_TIME') }} as FIRST_RESPONSE_TIME,
        {{ utc_timestamp('RESOLUTION_TIME') }} as RESOLUTION_TIME,
        {{ utc_timestamp('FIRST_RESOLUTION_TIME') }} as FIRST_RESOLUTION_TIME,
        {{ utc_timestamp('SNOOZED_UNTIL_TIME') }} as SNOOZED_UNTIL_TIME,

        -- measures
        {{ whole_number('NUMBER_OF_TOUCHES') }} as NUMBER_OF_TOUCHES,

        -- record
        {{ history_columns() }}
    from versions

)

select * from final
