-- Between Silver and the fact no ticket is lost and none is made up.
with issues as (

    select id
    from {{ ref('def_pylon_issues') }}
    where not is_deleted

),

tickets as (

    select ticket_id
    from {{ ref('fct_def_tickets') }}
    where support_system = 'pylon'

)

select coalesce(issues.id, tickets.ticket_id) as ticket_id
from issues
full outer join tickets
    on issues.id = tickets.ticket_id
where issues.id is null or tickets.ticket_id is null
