{#-
    From the first day with rows of a kind to the last day with rows of any, no Monday to Friday is without rows of that kind.
    Where loading stops altogether, the sources' freshness says so.
-#}
{% test no_working_day_without(model, rows_of, calendar) %}

with days as (

    select date_day
    from {{ calendar }}
    where
        not is_weekend
        and date_day >= (select min(metric_date) from {{ model }} where {{ rows_of }})
        and date_day < (select max(metric_date) from {{ model }})

)

select date_day
from days
where date_day not in (select metric_date from {{ model }} where {{ rows_of }})

{% endtest %}
