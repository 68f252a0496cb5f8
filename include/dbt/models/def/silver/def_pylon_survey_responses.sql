with current_survey_responses as (

    {{ current_rows('def_bronze', 'PYLON_SURVEY_RESPONSES') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('SURVEY_ID') }} as SURVEY_ID,
        {{ text('SURVEY_INSTANCE_ID') }} as SURVEY_INSTANCE_ID,
        {{ text('ISSUE_ID') }} as ISSUE_ID,
        {{ text('ACCOUNT_ID') }} as ACCOUNT_ID,
        {{ text('CONTACT_ID') }} as CONTACT_ID,

        -- strings
        {{ text('SURVEY_TYPE') }} as SURVEY_TYPE,

        -- timestamps
        {{ utc_timestamp('SUBMITTED_AT') }} as SUBMITTED_AT,
        {{ utc_timestamp('EXCLUDED_AT') }} as EXCLUDED_AT,

        -- documents
        {{ json_document('ANSWERS') }} as ANSWERS,

        -- record
        {{ record_columns(parent=true) }}
    from current_survey_responses

)

select * from final
