with current_issue_statuses as (

    {{ current_rows('def_bronze', 'PYLON_ISSUE_STATUSES') }}

),

final as (

    select
        -- ids
        {{ text('SLUG') }} as SLUG,

        -- strings
        {{ text('LABEL') }} as LABEL,
        {{ text('CATEGORY') }} as CATEGORY,

        -- booleans
        {{ boolean('IS_DEFAULT_STATUS') }} as IS_DEFAULT_STATUS,
        {{ boolean('IS_ARCHIVED') }} as IS_ARCHIVED,

        -- record
        {{ record_columns() }}
    from current_issue_statuses

)

select * from final
