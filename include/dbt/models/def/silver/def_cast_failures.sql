{{ cast_failures('def_bronze') }}
