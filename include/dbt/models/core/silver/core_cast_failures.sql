{{ cast_failures('core_bronze') }}
