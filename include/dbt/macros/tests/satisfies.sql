{#- Every row (of those the condition names) satisfies an expression; one it cannot be told of does not. -#}
{% test satisfies(model, expression, where='true', column_name=none) %}

select *
from {{ model }}
where ({{ where }}) and not coalesce({{ expression }}, false)

{% endtest %}
