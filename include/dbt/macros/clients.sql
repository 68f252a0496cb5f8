{#- The zone in which a client's days are counted, as its sources file has it from the client's own YAML. -#}
{% macro reporting_timezone(source_name) -%}
    {%- if execute -%}
        {%- for declared in graph.sources.values() if declared.source_name == source_name -%}
            {%- if loop.first -%}{{ return(declared.source_meta.reporting_timezone) }}{%- endif -%}
        {%- endfor -%}
        {{ exceptions.raise_compiler_error("no source is called " ~ source_name ~ ", so its reporting zone is unknown") }}
    {%- endif -%}
{%- endmacro %}
