with current_rows_of_plain_tiers as (

    {{ current_rows('def_bronze', 'PLAIN_TIERS') }}

),

final as (

    select
        {{ text('NAME') }} as NAME,
        {{ utc_timestamp(json_text('UPDATED_AT', 'iso8601')) }} as UPDATED_AT,
        {{ record_columns() }}
    from current_rows_of_plain_tiers

)

select * from final
