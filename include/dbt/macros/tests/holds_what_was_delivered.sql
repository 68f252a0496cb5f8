{#-
    Silver holds every key Bronze holds, and no other: an increment that missed its first load would show here. The key of
    a model that keeps history is in SOURCE_RECORD_KEY.
-#}
{% test holds_what_was_delivered(model, source_name, table, key='RECORD_KEY') %}

with delivered as (

    select distinct RECORD_KEY
    from {{ bronze(source_name, table) }}

),

held as (

    select distinct {{ key }} as RECORD_KEY
    from {{ model }}

)

select coalesce(delivered.RECORD_KEY, held.RECORD_KEY) as RECORD_KEY
from delivered
full outer join held
    on delivered.RECORD_KEY = held.RECORD_KEY
where delivered.RECORD_KEY is null or held.RECORD_KEY is null

{% endtest %}
