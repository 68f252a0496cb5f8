with current_tiers as (

    {{ current_rows('def_bronze', 'PLAIN_TIERS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('EXTERNAL_ID') }} as EXTERNAL_ID,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ text('COLOR') }} as COLOR,

        -- booleans
        {{ boolean('IS_DEFAULT') }} as IS_DEFAULT,
        {{ boolean('IS_MACHINE_TIER') }} as IS_MACHINE_TIER,

        -- timestamps
        {{ json_timestamp('CREATED_AT', 'iso8601') }} as CREATED_AT,
        {{ json_timestamp('UPDATED_AT', 'iso8601') }} as UPDATED_AT,

        -- measures
        {{ whole_number('DEFAULT_THREAD_PRIORITY') }} as DEFAULT_THREAD_PRIORITY,

        -- documents
        {{ json_document('SERVICE_LEVEL_AGREEMENTS') }} as SERVICE_LEVEL_AGREEMENTS,

        -- record
        {{ record_columns() }}
    from current_tiers

)

select * from final
