-- The aggregate's counts, over all its rows, are the fact's rows.
select *
from (
    select
        (select count(*) from {{ ref('fct_def_tickets') }}) as tickets,
        (select coalesce(sum(tickets_created), 0) from {{ ref('agg_def_ticket_activity_channel_daily') }}) as created,
        (select count(*) from {{ ref('fct_def_tickets') }} where is_resolved) as resolved_tickets,
        (select coalesce(sum(tickets_resolved), 0) from {{ ref('agg_def_ticket_activity_channel_daily') }}) as resolved
) as totals
where tickets <> created or resolved_tickets <> resolved
