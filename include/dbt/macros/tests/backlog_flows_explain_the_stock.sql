{#-
    Open tickets at the end of a day are those of the day before with what was created, reopened and undeleted, less
    what was closed and deleted, at every point of a grain; and no day is missing.
-#}
{% test backlog_flows_explain_the_stock(model, grain) %}

with days as (

    select
        metric_date,
        {{ grain | join(', ') }},
        tickets_open,
        coalesce(
            lag(tickets_open) over (partition by {{ grain | join(', ') }} order by metric_date), 0
        ) + tickets_created + tickets_reopened + tickets_undeleted - tickets_closed - tickets_deleted
            as tickets_explained,
        {{ days_apart('min(metric_date) over (partition by ' ~ grain | join(', ') ~ ')', 'metric_date') }} + 1
            as days_since,
        row_number() over (partition by {{ grain | join(', ') }} order by metric_date) as days_present
    from {{ model }}

)

select *
from days
where tickets_open <> tickets_explained or days_since <> days_present

{% endtest %}
