with activity as (

    select * from {{ ref('int_ce__ticket_activity_daily') }}

),

final as (

    select
        metric_date,
        cast(sum(tickets_created) as bigint) as tickets_created,
        cast(sum(messages_created) as bigint) as messages_created,
        cast(count(distinct domain_key) as bigint) as companies
    from activity
    group by metric_date

)

select * from final
