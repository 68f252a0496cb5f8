{{ agent_performance_channel_daily('def') }}
