{#-
    Casts for Silver. Every Bronze column is text, exactly as delivered; each of these takes the name of one (or an
    expression over some) and gives a typed value, or NULL where the text is no such value. None of them can fail.
-#}

{#- Text without the garbage that stands for nothing: blanks and the empty-set sign. -#}
{% macro text(column) -%}
    case when trim({{ column }}) in ('', '∅') then null else {{ column }} end
{%- endmacro %}


{#- A whole number. -#}
{% macro whole_number(column) -%}
    {{ return(adapter.dispatch('whole_number')(column)) }}
{%- endmacro %}

{% macro duckdb__whole_number(column) -%}
    try_cast({{ column }} as bigint)
{%- endmacro %}

{% macro snowflake__whole_number(column) -%}
    cast(try_to_number({{ column }}, 38, 0) as bigint)
{%- endmacro %}


{#- A number with a fraction, kept exact. -#}
{% macro exact_number(column, precision=18, scale=6) -%}
    {{ return(adapter.dispatch('exact_number')(column, precision, scale)) }}
{%- endmacro %}

{% macro duckdb__exact_number(column, precision, scale) -%}
    try_cast({{ column }} as decimal({{ precision }}, {{ scale }}))
{%- endmacro %}

{% macro snowflake__exact_number(column, precision, scale) -%}
    try_to_decimal({{ column }}, {{ precision }}, {{ scale }})
{%- endmacro %}


{#- A boolean. Only true and false count: an engine's own cast would also take t, yes, on and 1. -#}
{% macro boolean(column) -%}
    case lower(trim({{ column }})) when 'true' then true when 'false' then false end
{%- endmacro %}


{#-
    An instant as UTC without a zone, to the microsecond: with or without fraction, with Z, with an offset, or with
    neither, which the vendors mean as UTC. The shape is checked first, because engines also read epochs, bare years
    and words such as 'epoch' as instants; and a zone is always given, so that the session's never counts.
-#}
{% macro utc_timestamp(column) -%}
    {%- set shape = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?" -%}
    {{ return(adapter.dispatch('utc_timestamp')('trim(' ~ column ~ ')', shape, "(Z|[+-][0-9]{2}:?[0-9]{2})$")) }}
{%- endmacro %}

{% macro duckdb__utc_timestamp(value, shape, zone) -%}
    case
        when regexp_full_match({{ value }}, '{{ shape }}{{ zone }}')
            then try_cast({{ value }} as timestamptz) at time zone 'UTC'
        when regexp_full_match({{ value }}, '{{ shape }}$')
            then try_cast({{ value }} || 'Z' as timestamptz) at time zone 'UTC'
    end
{%- endmacro %}

{% macro snowflake__utc_timestamp(value, shape, zone) -%}
    case
        when regexp_like({{ value }}, '{{ shape }}{{ zone }}')
            then cast(convert_timezone('UTC', try_to_timestamp_tz({{ value }})) as timestamp_ntz(6))
        when regexp_like({{ value }}, '{{ shape }}$')
            then cast(convert_timezone('UTC', try_to_timestamp_tz({{ value }} || 'Z')) as timestamp_ntz(6))
    end
{%- endmacro %}


{#- The type of such an instant, for casts and for columns that are NULL so far. -#}
{% macro timestamp_type() -%}
    {{ return(adapter.dispatch('timestamp_type')()) }}
{%- endmacro %}

{% macro duckdb__timestamp_type() -%} timestamp {%- endmacro %}
{% macro snowflake__timestamp_type() -%} timestamp_ntz(6) {%- endmacro %}


{#- A date, which has no zone. -#}
{% macro iso_date(column) -%}
    {{ return(adapter.dispatch('iso_date')('trim(' ~ column ~ ')')) }}
{%- endmacro %}

{% macro duckdb__iso_date(value) -%}
    case when regexp_full_match({{ value }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}') then try_cast({{ value }} as date) end
{%- endmacro %}

{% macro snowflake__iso_date(value) -%}
    case when regexp_like({{ value }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}') then try_to_date({{ value }}, 'YYYY-MM-DD') end
{%- endmacro %}


{#- The first part of a text that a pattern matches, NULL where none does. -#}
{% macro matched(expression, pattern) -%}
    {{ return(adapter.dispatch('matched')(expression, pattern)) }}
{%- endmacro %}

{% macro duckdb__matched(expression, pattern) -%}
    nullif(regexp_extract({{ expression }}, '{{ pattern }}'), '')
{%- endmacro %}

{% macro snowflake__matched(expression, pattern) -%}
    regexp_substr({{ expression }}, '{{ pattern }}')
{%- endmacro %}
