{{ sync_status_current('def') }}
