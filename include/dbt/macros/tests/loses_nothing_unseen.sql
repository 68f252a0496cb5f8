{#-
    Where a Silver row lacks a value that its Bronze row has, the list of cast failures has it: no value is lost unseen.
    The Bronze row is the one the Silver row says it came from.
-#}
{% test loses_nothing_unseen(model, source_name, table, key='RECORD_KEY') %}

{%- set columns = [] -%}
{%- if execute -%}
    {%- for stream in streams_with_casts(source_name, table) -%}
        {%- do columns.extend(stream.columns) -%}
    {%- endfor -%}
{%- endif %}

with delivered as (

    select distinct
        {%- for column in columns %}
        {{ column.raw }} is not null as HAS_{{ column.name }},
        {%- endfor %}
        RECORD_KEY,
        SOURCE_FILE
    from {{ bronze(source_name, table) }}

),

lost as (

    select
        held.{{ key }} as SOURCE_RECORD_KEY,
        held.SOURCE_FILE,
        0
        {%- for column in columns %}
        + case when delivered.HAS_{{ column.name }} and held.{{ column.name }} is null then 1 else 0 end
        {%- endfor %} as VALUES_LOST
    from {{ model }} as held
    inner join delivered
        on
            held.{{ key }} = delivered.RECORD_KEY
            and held.SOURCE_FILE = delivered.SOURCE_FILE

),

ledgered as (

    select
        SOURCE_RECORD_KEY,
        SOURCE_FILE,
        count(*) as VALUES_LISTED
    from {{ ref(source_name.split('_')[0] ~ '_cast_failures') }}
    where STREAM = '{{ table | lower }}'
    group by SOURCE_RECORD_KEY, SOURCE_FILE

)

select
    lost.SOURCE_RECORD_KEY,
    lost.SOURCE_FILE,
    lost.VALUES_LOST,
    ledgered.VALUES_LISTED
from lost
left join ledgered
    on
        lost.SOURCE_RECORD_KEY = ledgered.SOURCE_RECORD_KEY
        and lost.SOURCE_FILE = ledgered.SOURCE_FILE
where lost.VALUES_LOST > coalesce(ledgered.VALUES_LISTED, 0)

{% endtest %}
