{{ csat_report_channel_daily('def') }}
