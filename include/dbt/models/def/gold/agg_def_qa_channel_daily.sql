{{ qa_channel_daily('def') }}
