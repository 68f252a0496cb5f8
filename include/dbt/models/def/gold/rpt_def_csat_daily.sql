{#- The old name of rpt_def_csat_channel_daily, which owns the SQL. Goes when no dashboard reads it any more. -#}
select * from {{ ref('rpt_def_csat_channel_daily') }}
