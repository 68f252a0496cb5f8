with targets as (

    select *
    from {{ ref('core_sla_targets') }}
    where client = 'def'

),

final as (

    select
        cast({{ surrogate_key(['priority', 'valid_from']) }} as varchar) as sla_target_key,
        cast(priority as varchar) as priority,
        cast(calendar as varchar) as calendar,
        cast(valid_from as date) as valid_from,
        cast(valid_to as date) as valid_to,
        cast(first_response_hours * 3600 as bigint) as first_response_target_seconds,
        cast(resolution_hours * 3600 as bigint) as resolution_target_seconds
    from targets

)

select * from final
