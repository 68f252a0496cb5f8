{{ volume_per_period('def', 'quarter') }}
