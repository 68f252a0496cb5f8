-- An issue that names a thread Plain lacks makes a wrong claim, or the thread was never loaded. A few are normal.
{{ config(severity='warn') }}

with links as (

    select
        count(*) as links,
        count(case when is_thread_known then 1 end) as known
    from {{ ref('fct_def_ticket_links') }}

)

select
    links,
    known
from links
where known < 0.8 * links
