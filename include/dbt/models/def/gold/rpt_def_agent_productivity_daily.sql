{{ agent_productivity_daily('def') }}
