{{ performance_per_period('def', 'week') }}
