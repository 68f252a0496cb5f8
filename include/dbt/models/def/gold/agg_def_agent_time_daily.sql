{{ agent_time_daily('def') }}
