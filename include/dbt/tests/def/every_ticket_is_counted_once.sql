-- The aggregate's counts, over all its rows, are the fact's rows.
with tickets as (

    select
        count(*) as created,
        count(case when is_resolved then 1 end) as resolved
    from {{ ref('fct_def_tickets') }}

),

activity as (

    select
        coalesce(sum(tickets_created), 0) as created,
        coalesce(sum(tickets_resolved), 0) as resolved
    from {{ ref('agg_def_ticket_activity_channel_daily') }}

)

select
    tickets.created as tickets_created,
    activity.created as counted_created,
    tickets.resolved as tickets_resolved,
    activity.resolved as counted_resolved
from tickets
cross join activity
where
    tickets.created <> activity.created
    or tickets.resolved <> activity.resolved
