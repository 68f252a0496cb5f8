with links as (

    select * from {{ ref('int_def_ticket_links') }}

),

final as (

    select distinct thread_id
    from links
    where is_applied

)

select * from final
