with current_users as (

    {{ current_rows('def_bronze', 'PYLON_USERS') }}

),

final as (

    select
        -- ids
        {{ text('ID') }} as ID,
        {{ text('ROLE_ID') }} as ROLE_ID,
        {{ text_array('ROLE_IDS') }} as ROLE_IDS,

        -- strings
        {{ text('NAME') }} as NAME,
        {{ text('EMAIL') }} as EMAIL,
        {{ text_array('EMAILS') }} as EMAILS,
        {{ text('AVATAR_URL') }} as AVATAR_URL,
        {{ text('STATUS') }} as STATUS,
        {{ json_text('ROLE', 'slug') }} as ROLE_SLUG,

        -- booleans
        {{ boolean('IS_DEACTIVATED') }} as IS_DEACTIVATED,

        -- documents
        {{ json_document('ROLES') }} as ROLES,

        -- record
        {{ record_columns() }}
    from current_users

)

select * from final
