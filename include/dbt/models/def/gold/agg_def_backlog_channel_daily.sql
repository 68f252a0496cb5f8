{{ backlog_channel_daily('def', reporting_timezone('def_bronze')) }}
