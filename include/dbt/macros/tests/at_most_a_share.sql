{#- Of all rows no more than a share meets a condition. -#}
{% test at_most_a_share(model, condition, share) %}

select *
from (
    select
        count(*) as rows_there,
        sum(case when {{ condition }} then 1 else 0 end) as rows_meeting_it
    from {{ model }}
) as counted
where rows_meeting_it > {{ share }} * rows_there

{% endtest %}
