with channels as (

    select * from {{ ref('core_channels') }}

),

final as (

    select
        cast(channel as varchar) as channel,
        cast(channel_label as varchar) as channel_label,
        cast(channel_group as varchar) as channel_group
    from channels

)

select * from final
