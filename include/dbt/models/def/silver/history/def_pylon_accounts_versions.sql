with versions as (

    {{ version_rows('def_bronze', 'PYLON_ACCOUNTS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ json_text('OWNER', 'id') }} as OWNER_ID,
        {{ text('PARENT_ACCOUNT_ID') }} as PARENT_ACCOUNT_ID,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ text('TYPE') }} as TYPE,
        {{ text('PRIMARY_DOMAIN') }} as PRIMARY_DOMAIN,
        {{ text_array('DOMAINS') }} as DOMAINS,
        {{ text_array('TAGS') }} as TAGS,

        -- booleans
        {{ boolean('IS_DISABLED') }} as IS_DISABLED,

        -- timestamps
        {{ utc_timestamp('CREATED_AT') }} as CREATED_AT,
        {{ utc_timestamp('UPDATED_AT') }} as UPDATED_AT,

        -- documents
        {{ json_document('CUSTOM_FIELDS') }} as CUSTOM_FIELDS,
        {{ json_document('EXTERNAL_IDS') }} as EXTERNAL_IDS,

        -- record
        {{ history_columns() }}
    from versions

)

select * from final
