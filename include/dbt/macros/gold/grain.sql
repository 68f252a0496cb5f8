{#- The columns of a grain as one relation has them. -#}
{% macro columns_of(relation, columns) -%}
    {%- set found = [] -%}
    {%- for column in columns -%}{%- do found.append(relation ~ '.' ~ column) -%}{%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{#- Whether two relations are at the same point of a grain; a part of it that both lack is the same. -#}
{% macro same_grain(one, other, columns) -%}
    {%- for column in columns -%}
        {{ one }}.{{ column }} is not distinct from {{ other }}.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
