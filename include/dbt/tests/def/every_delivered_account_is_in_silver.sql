-- Silver holds every key Bronze holds, and no other: an increment that missed its first load would show here.
with delivered as (

    select distinct RECORD_KEY
    from {{ source('def_bronze', 'PYLON_ACCOUNTS') }}

),

held as (

    select RECORD_KEY
    from {{ ref('def_pylon_accounts') }}

)

select coalesce(delivered.RECORD_KEY, held.RECORD_KEY) as RECORD_KEY
from delivered
full outer join held
    on delivered.RECORD_KEY = held.RECORD_KEY
where delivered.RECORD_KEY is null or held.RECORD_KEY is null
