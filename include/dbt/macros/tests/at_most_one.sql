{#- Of the rows a condition names, no two have the same value in a column. -#}
{% test at_most_one(model, column, where='true') %}

select {{ column }}
from {{ model }}
where {{ where }}
group by {{ column }}
having count(*) > 1

{% endtest %}
