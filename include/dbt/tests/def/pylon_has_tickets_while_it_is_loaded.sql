-- Pylon is the system in production: once anything of it was loaded, there are tickets of it.
with loads as (

    select coalesce(sum(rows_loaded), 0) as rows_loaded
    from {{ ref('fct_def_syncs') }}
    where stream = 'pylon_issues'

),

activity as (

    select coalesce(sum(tickets_created), 0) as tickets_created
    from {{ ref('agg_def_ticket_activity_channel_daily') }}
    where support_system = 'pylon'

)

select
    loads.rows_loaded,
    activity.tickets_created
from loads
cross join activity
where
    loads.rows_loaded > 0
    and activity.tickets_created = 0
