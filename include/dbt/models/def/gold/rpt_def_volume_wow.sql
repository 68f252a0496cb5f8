{{ volume_per_period('def', 'week') }}
