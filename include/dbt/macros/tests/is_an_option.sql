{#-
    A value is one of those that the vendors' own settings list for a field: the options of Pylon's custom field, or of
    Plain's thread field of the same name.
-#}
{% test is_an_option(model, column_name, field, custom_fields, thread_fields) %}

with options as (

    select lower({{ element_text('entry', 'slug') }}) as option_value
    from {{ custom_fields }} as fields
    {{ json_elements('fields.select_metadata', 'entry', 'options') }}
    where fields.slug = '{{ field }}'
    union
    select lower({{ array_value('entry') }}) as option_value
    from {{ thread_fields }} as fields
    {{ array_elements('fields.enum_values', 'entry') }}
    where fields.field_key = '{{ field }}'

)

select
    {{ column_name }},
    count(*) as found
from {{ model }}
where {{ column_name }} is not null and {{ column_name }} not in (select option_value from options)
group by {{ column_name }}

{% endtest %}
