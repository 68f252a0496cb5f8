{{ performance_per_period('def', 'month') }}
