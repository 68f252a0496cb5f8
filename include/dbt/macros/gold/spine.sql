{#-
    The spine of a report over several aggregates: every point of the grain that any of them has, once. No aggregate is the
    first one, so a day that only one of them knows is not lost.

    Each contributor calls the columns of the grain by names of its own; those are given in the order of the grain, and are
    used again, unchanged, where it is joined back.
-#}
{% macro spine(grain, contributors) -%}
    {%- for relation, native in contributors.items() %}
    select
        {%- for column in grain %}
        {{ native[loop.index0] }}{{ ' as ' ~ column if native[loop.index0] != column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- The contributor's row at a point of the spine; a part of the grain that both lack is the same. -#}
{% macro on_spine(relation, grain, native) -%}
    {%- for column in grain -%}
        spine.{{ column }} is not distinct from {{ relation }}.{{ native[loop.index0] }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Measures summed to a coarser grain: how a report collapses what an aggregate keeps apart. -#}
{% macro summed_to(relation, grain, measures) -%}
    select
        {{ grain | join(', ') }}
        {%- for measure in measures %},
        sum({{ measure }}) as {{ measure }}
        {%- endfor %}
    from {{ relation }}
    group by {{ grain | join(', ') }}
{%- endmacro %}

{#- A sum over another, NULL where there is nothing to divide by. -#}
{% macro ratio(numerator, denominator, factor='1.0') -%}
    cast({{ numerator }} * {{ factor }} / nullif({{ denominator }}, 0) as double)
{%- endmacro %}
