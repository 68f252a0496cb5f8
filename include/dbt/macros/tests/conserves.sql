{#-
    No row of a Silver model is lost or counted twice on its way to a fact: each is in the fact, or in the list of what
    rules keep out, and in one of them once. Nothing is made up either.
-#}
{% test conserves(model, silver, silver_key, key, exclusions, object, support_system=none) %}

with delivered as (

    select {{ silver_key }} as record_id
    from {{ silver }}

),

held as (

    select {{ key }} as record_id
    from {{ model }}
    {% if support_system -%}
    where support_system = '{{ support_system }}'
    {% endif -%}
    union all
    select record_id
    from {{ exclusions }}
    where
        object = '{{ object }}'
        {%- if support_system %}
        and support_system = '{{ support_system }}'
        {%- endif %}

),

counted as (

    select
        record_id,
        count(*) as times
    from held
    group by record_id

)

select
    coalesce(delivered.record_id, counted.record_id) as record_id,
    counted.times
from delivered
full outer join counted
    on delivered.record_id = counted.record_id
where delivered.record_id is null or counted.times is null or counted.times > 1

{% endtest %}
