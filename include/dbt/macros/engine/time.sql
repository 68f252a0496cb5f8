{#- Now as UTC without a zone. The only clock of the project: a test freezes it with the variable `now`. -#}
{% macro now_utc() -%}
    {%- if var('now', none) -%}
        cast('{{ var("now") }}' as {{ timestamp_type() }})
    {%- else -%}
        {{ return(adapter.dispatch('now_utc')()) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__now_utc() -%}
    (now() at time zone 'UTC')
{%- endmacro %}

{% macro snowflake__now_utc() -%}
    cast(convert_timezone('UTC', current_timestamp()) as timestamp_ntz(6))
{%- endmacro %}


{#- The local date of a UTC instant in a zone. -#}
{% macro date_in_zone(instant, zone) -%}
    {{ return(adapter.dispatch('date_in_zone')(instant, zone)) }}
{%- endmacro %}

{% macro duckdb__date_in_zone(instant, zone) -%}
    cast({{ instant }} at time zone 'UTC' at time zone '{{ zone }}' as date)
{%- endmacro %}

{% macro snowflake__date_in_zone(instant, zone) -%}
    cast(convert_timezone('UTC', '{{ zone }}', {{ instant }}) as date)
{%- endmacro %}


{#- Whole seconds from one instant to another. -#}
{% macro seconds_between(start, end) -%}
    {{ return(adapter.dispatch('seconds_between')(start, end)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(start, end) -%}
    date_sub('second', {{ start }}, {{ end }})
{%- endmacro %}

{#- timestampdiff counts the boundaries crossed, so it is taken in microseconds and cut. -#}
{% macro snowflake__seconds_between(start, end) -%}
    cast(trunc(timestampdiff('microsecond', {{ start }}, {{ end }}) / 1000000) as bigint)
{%- endmacro %}


{#- The ISO day of the week of a date, Monday 1 to Sunday 7. -#}
{% macro iso_day_of_week(day) -%}
    {{ return(adapter.dispatch('iso_day_of_week')(day)) }}
{%- endmacro %}

{% macro duckdb__iso_day_of_week(day) -%} cast(isodow({{ day }}) as integer) {%- endmacro %}
{% macro snowflake__iso_day_of_week(day) -%} cast(dayofweekiso({{ day }}) as integer) {%- endmacro %}


{#- Every day from one date up to, but not with, another, as one column date_day. -#}
{% macro days_between(first, end) -%}
    {{ return(adapter.dispatch('days_between')(first, end)) }}
{%- endmacro %}

{% macro duckdb__days_between(first, end) -%}
    select cast(day as date) as date_day
    from range(date '{{ first }}', date '{{ end }}', interval 1 day) as days(day)
{%- endmacro %}

{% macro snowflake__days_between(first, end) -%}
    {%- set count = (modules.datetime.date.fromisoformat(end) - modules.datetime.date.fromisoformat(first)).days -%}
    select dateadd('day', row_number() over (order by seq4()) - 1, cast('{{ first }}' as date)) as date_day
    from table(generator(rowcount => {{ count }}))
{%- endmacro %}


{#- How many days one date is after another. -#}
{% macro days_apart(from_date, to_date) -%}
    {{ return(adapter.dispatch('days_apart')(from_date, to_date)) }}
{%- endmacro %}

{% macro duckdb__days_apart(from_date, to_date) -%} date_diff('day', {{ from_date }}, {{ to_date }}) {%- endmacro %}
{% macro snowflake__days_apart(from_date, to_date) -%} datediff('day', {{ from_date }}, {{ to_date }}) {%- endmacro %}


{#- Microseconds from one instant to another; seconds are cut off only at the very end of a sum. -#}
{% macro microseconds_between(start, end) -%}
    {{ return(adapter.dispatch('microseconds_between')(start, end)) }}
{%- endmacro %}

{% macro duckdb__microseconds_between(start, end) -%}
    date_sub('microsecond', {{ start }}, {{ end }})
{%- endmacro %}

{% macro snowflake__microseconds_between(start, end) -%}
    timestampdiff('microsecond', {{ start }}, {{ end }})
{%- endmacro %}


{#- The whole seconds in so many microseconds. -#}
{% macro whole_seconds(microseconds) -%}
    cast(floor(({{ microseconds }}) / 1000000) as bigint)
{%- endmacro %}


{#- The instant so many microseconds after another. -#}
{% macro microseconds_later(instant, microseconds) -%}
    {{ return(adapter.dispatch('microseconds_later')(instant, microseconds)) }}
{%- endmacro %}

{% macro duckdb__microseconds_later(instant, microseconds) -%}
    (cast({{ instant }} as timestamp) + to_microseconds(cast({{ microseconds }} as bigint)))
{%- endmacro %}

{% macro snowflake__microseconds_later(instant, microseconds) -%}
    dateadd('microsecond', {{ microseconds }}, cast({{ instant }} as timestamp_ntz(6)))
{%- endmacro %}


{#-
    The UTC instant at which clocks of a zone (a column or a quoted name) show a wall time. A wall time that a clock
    change skips is taken as if the clock had not been moved yet.
-#}
{% macro utc_of_wall_time(wall_time, zone) -%}
    {{ return(adapter.dispatch('utc_of_wall_time')(wall_time, zone)) }}
{%- endmacro %}

{% macro duckdb__utc_of_wall_time(wall_time, zone) -%}
    ({{ wall_time }} at time zone {{ zone }} at time zone 'UTC')
{%- endmacro %}

{% macro snowflake__utc_of_wall_time(wall_time, zone) -%}
    cast(convert_timezone({{ zone }}, 'UTC', {{ wall_time }}) as timestamp_ntz(6))
{%- endmacro %}
