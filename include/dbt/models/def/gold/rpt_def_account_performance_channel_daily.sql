{{ account_performance_channel_daily('def') }}
