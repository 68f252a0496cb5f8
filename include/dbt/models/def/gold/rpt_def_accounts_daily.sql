{{ accounts_daily('def') }}
