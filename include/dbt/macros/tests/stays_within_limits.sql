{#-
    No column of a stream has more records with unreadable values than the client's own file allows, which is none where
    it says nothing. Blanks are a vendor's way of saying nothing and do not count.
-#}
{% test stays_within_limits(model, source_name) %}

{%- set limits = unreadable_allowed(source_name) %}

select
    STREAM,
    COLUMN_NAME,
    count(distinct SOURCE_RECORD_KEY) as UNREADABLE
from {{ model }}
where FAILURE = 'unreadable'
group by STREAM, COLUMN_NAME
having
    count(distinct SOURCE_RECORD_KEY) > case (STREAM || '.' || COLUMN_NAME)
        {%- for column, limit in limits.items() %}
        when '{{ column }}' then {{ limit }}
        {%- endfor %}
        when '' then 0
        else 0
    end

{% endtest %}


{#- How many records may have an unreadable value, by stream.COLUMN, as the client's file says. -#}
{% macro unreadable_allowed(source_name) -%}
    {%- if execute -%}
        {%- for declared in graph.sources.values() if declared.source_name == source_name -%}
            {%- if loop.first -%}{{ return(declared.source_meta.get('unreadable_allowed') or {}) }}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return({}) }}
{%- endmacro %}
