with current_qa_reviews as (

    {{ current_rows('def_bronze', 'QA_REVIEWS') }}

),

final as (

    select
        -- ids
        {{ text('REVIEW_ID') }} as REVIEW_ID,
        {{ text('TICKET_ID') }} as TICKET_ID,

        -- strings
        {{ text('SYSTEM') }} as SUPPORT_SYSTEM,
        {{ text('CHANNEL') }} as CHANNEL,
        {{ text('AGENT_EMAIL') }} as AGENT_EMAIL,
        {{ text('REVIEWER_EMAIL') }} as REVIEWER_EMAIL,
        {{ text('COMMENT') }} as REVIEW_COMMENT,

        -- booleans
        {{ boolean('CRITICAL_ERROR') }} as IS_CRITICAL_ERROR,

        -- timestamps
        {{ utc_timestamp('REVIEWED_AT') }} as REVIEWED_AT,

        -- measures
        {{ exact_number('SCORE', 10, 2) }} as SCORE,
        {{ exact_number('MAX_SCORE', 10, 2) }} as MAX_SCORE,

        -- record
        {{ record_columns() }}
    from current_qa_reviews

)

select * from final
