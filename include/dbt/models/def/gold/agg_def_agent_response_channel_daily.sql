{{ agent_response_channel_daily('def') }}
