with versions as (

    {{ version_rows('def_bronze', 'PLAIN_THREADS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ json_text('CUSTOMER', 'id') }} as CUSTOMER_ID,
        {{ json_text('CUSTOMER', 'company', 'id') }} as COMPANY_ID,
        {{ json_text('TENANT', 'id') }} as TENANT_ID,
        {{ json_text('TIER', 'id') }} as TIER_ID,
        {{ json_first('ASSIGNED_TO', 'userId', 'machineUserId', 'systemId') }} as ASSIGNEE_ID,
        {{ json_first(
            'STATUS_CHANGED_BY', 'userId', 'machineUserId', 'customerId', 'systemId'
        ) }} as STATUS_CHANGED_BY_ID,

        -- strings
        {{ text('STATUS') }} as STATUS,
        {{ json_text('STATUS_DETAIL', '__typename') }} as STATUS_DETAIL_KIND,
        {{ text('CHANNEL') }} as CHANNEL,
        {{ json_text('ASSIGNED_TO', '__typename') }} as ASSIGNEE_KIND,
        {{ json_text('STATUS_CHANGED_BY', '__typename') }} as STATUS_CHANGED_BY_KIND,

        -- thread fields
        {{ thread_field('THREAD_FIELDS', 'category') }} as CATEGORY,
        {{ thread_field('THREAD_FIELDS', 'handler') }} as HANDLER,
        {{ thread_field('THREAD_FIELDS', 'resolution-type') }} as RESOLUTION_TYPE,

        -- timestamps
        {{ json_timestamp('CREATED_AT', 'iso8601') }} as CREATED_AT,
        {{ json_timestamp('UPDATED_AT', 'iso8601') }} as UPDATED_AT,
        {{ json_timestamp('STATUS_CHANGED_AT', 'iso8601') }} as STATUS_CHANGED_AT,
        {{ json_timestamp('ASSIGNED_AT', 'iso8601') }} as ASSIGNED_AT,
        {{ json_timestamp('SURVEY_RESPONSE', 'respondedAt', 'iso8601') }} as SURVEY_RESPONDED_AT,

        -- measures
        {{ whole_number('PRIORITY') }} as PRIORITY,
        {{ json_number('SURVEY_RESPONSE', 'rating') }} as SURVEY_RATING,

        -- documents
        {{ json_document('LABELS') }} as LABELS,

        -- record
        {{ history_columns() }}
    from versions

)

select * from final
