{{ support_tickets_daily('def') }}
