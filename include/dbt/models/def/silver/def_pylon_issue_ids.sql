with current_issue_ids as (

    {{ current_rows('def_bronze', 'PYLON_ISSUE_IDS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ whole_number('NUMBER') }} as NUMBER,

        -- timestamps
        {{ utc_timestamp('CREATED_AT') }} as CREATED_AT,
        {{ utc_timestamp('UPDATED_AT') }} as UPDATED_AT,

        -- record
        {{ record_columns() }}
    from current_issue_ids

)

select * from final
