{#- No text that stands for nothing is left in a column: blanks or the empty-set sign. -#}
{% test no_garbage(model, column_name) %}

select {{ column_name }}
from {{ model }}
where trim({{ column_name }}) in ('', '∅')

{% endtest %}
