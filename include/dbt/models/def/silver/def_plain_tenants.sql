with current_tenants as (

    {{ current_rows('def_bronze', 'PLAIN_TENANTS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('EXTERNAL_ID') }} as EXTERNAL_ID,
        {{ json_text('TIER', 'id') }} as TIER_ID,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ text('SOURCE') }} as SOURCE,
        {{ text('PRIMARY_DOMAIN') }} as PRIMARY_DOMAIN,
        {{ text_array('ALTERNATE_DOMAINS') }} as ALTERNATE_DOMAINS,
        {{ text('URL') }} as URL,

        -- timestamps
        {{ json_timestamp('CREATED_AT', 'iso8601') }} as CREATED_AT,
        {{ json_timestamp('UPDATED_AT', 'iso8601') }} as UPDATED_AT,

        -- record
        {{ record_columns() }}
    from current_tenants

)

select * from final
