{{ volume_per_period('def', 'month') }}
