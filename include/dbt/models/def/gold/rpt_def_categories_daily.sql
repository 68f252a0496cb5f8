{{ categories_daily('def') }}
