{{ agent_activity_channel_daily('def') }}
