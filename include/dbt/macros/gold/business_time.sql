{#-
    Time in business hours, by dim_business_calendar. An instant falls into exactly one stretch of a calendar, found by
    an equality join on its UTC day, and a stretch knows how much business time there was before it. So the business time
    between two instants is one subtraction, whatever lies between them:

        left join business_calendar as opened
            on {{ in_business_stretch('opened', "'def'", 'tickets.created_at') }}
        left join business_calendar as answered
            on {{ in_business_stretch('answered', "'def'", 'tickets.answered_at') }}
        …
        {{ business_seconds_between('opened', 'tickets.created_at', 'answered', 'tickets.answered_at') }}

    The inverse, the instant by which so much business time has passed, is the same the other way round:

        {{ business_level('opened', 'tickets.created_at', 3600) }} as due_level
        …
        left join (…business_deadline_stretches()…) as due
            on {{ in_deadline_stretch('due', "'def'", 'tickets.due_level') }}
        …
        {{ business_deadline('due', 'tickets.due_level') }}

    Both are NULL where an instant is NULL or outside the years the calendar covers.
-#}

{#- Whether a stretch of the calendar is the one an instant falls into. -#}
{% macro in_business_stretch(stretch, calendar, instant) -%}
    {{ stretch }}.calendar = {{ calendar }}
            and {{ stretch }}.utc_date = cast({{ instant }} as date)
            and {{ instant }} >= {{ stretch }}.stretch_starts_at
            and {{ instant }} < {{ stretch }}.stretch_ends_at
{%- endmacro %}


{#- All business time of the calendar up to an instant, in microseconds, and so many seconds of it more. -#}
{% macro business_level(stretch, instant, more_seconds=0) -%}
    (
        cast({{ stretch }}.open_seconds_before + {{ more_seconds }} as bigint) * 1000000
        + greatest(
            least(
                {{ microseconds_between(stretch ~ '.opens_at', instant) }}, {{ stretch }}.open_seconds * 1000000
            ),
            0
        )
    )
{%- endmacro %}


{#- Whole business seconds between two instants, each with the stretch it falls into. -#}
{% macro business_seconds_between(start_stretch, start, end_stretch, end) -%}
    {{ whole_seconds(business_level(end_stretch, end) ~ ' - ' ~ business_level(start_stretch, start)) }}
{%- endmacro %}


{#-
    The stretches in which a deadline can fall. They are numbered by days' worth of business time; no stretch is longer
    than that, so it has two numbers at most, and finding the right one is an equality join and not a comparison with
    every stretch there is.
-#}
{% macro business_deadline_stretches() -%}
    select
        calendar,
        cast(floor(open_seconds_before / 86400) as bigint) + bounds.later as deadline_bucket,
        open_seconds_before,
        open_seconds,
        opens_at
    from {{ ref('dim_business_calendar') }}
    cross join (select 0 as later union all select 1 as later) as bounds
    where
        open_seconds > 0
        and floor(open_seconds_before / 86400) + bounds.later
        <= floor((open_seconds_before + open_seconds) / 86400)
{%- endmacro %}


{#- Whether the business time reaches a level within such a stretch. One reached at closing time is reached then. -#}
{% macro in_deadline_stretch(stretch, calendar, level) -%}
    {{ stretch }}.calendar = {{ calendar }}
            and {{ stretch }}.deadline_bucket = cast(floor({{ level }} / 86400000000) as bigint)
            and {{ level }} > {{ stretch }}.open_seconds_before * 1000000
            and {{ level }} <= ({{ stretch }}.open_seconds_before + {{ stretch }}.open_seconds) * 1000000
{%- endmacro %}


{#- The instant at which the business time reaches a level. -#}
{% macro business_deadline(stretch, level) -%}
    {{ microseconds_later(
        stretch ~ '.opens_at', level ~ ' - ' ~ stretch ~ '.open_seconds_before * 1000000'
    ) }}
{%- endmacro %}


{#- Minutes since midnight of a wall time written as HH:MM; 24:00 is the midnight that ends the day. -#}
{% macro minutes_of_day(wall_time) -%}
    cast(substring({{ wall_time }}, 1, 2) as bigint) * 60 + cast(substring({{ wall_time }}, 4, 2) as bigint)
{%- endmacro %}
