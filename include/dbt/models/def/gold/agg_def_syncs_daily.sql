{{ syncs_daily('def') }}
