-- Silver holds every key Bronze holds, and no other: an increment that misses its first load would show here.
select coalesce(bronze.RECORD_KEY, silver.RECORD_KEY) as RECORD_KEY
from (select distinct RECORD_KEY from {{ source('def_bronze', 'PYLON_ACCOUNTS') }}) as bronze
full outer join {{ ref('def_pylon_accounts') }} as silver
    on silver.RECORD_KEY = bronze.RECORD_KEY
where bronze.RECORD_KEY is null or silver.RECORD_KEY is null
