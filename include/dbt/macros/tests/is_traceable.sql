{#- Every row says which record it is, where it came from and when it was read. -#}
{% test is_traceable(model, columns=[]) %}

select *
from {{ model }}
where
    {%- for column in ['RECORD_HASH', 'DATE_TO_WAREHOUSE', 'SOURCE_FILE', 'BATCH_ID', 'PIPELINE_RUN_ID'] + columns %}
    {{ column }} is null {%- if not loop.last %} or{% endif %}
    {%- endfor %}

{% endtest %}
