{{ resolution_channel_daily('def') }}
