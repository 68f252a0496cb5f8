{{ performance_per_period('def', 'quarter') }}
