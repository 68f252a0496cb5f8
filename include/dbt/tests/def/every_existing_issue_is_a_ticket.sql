-- Between Silver and the fact no ticket is lost and none is made up.
select coalesce(issues.id, tickets.ticket_id) as ticket_id
from (select id from {{ ref('def_pylon_issues') }} where not is_deleted) as issues
full outer join (select ticket_id from {{ ref('fct_def_tickets') }} where support_system = 'pylon') as tickets
    on tickets.ticket_id = issues.id
where issues.id is null or tickets.ticket_id is null
