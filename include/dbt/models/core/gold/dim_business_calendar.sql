{#-
    Opening hours are wall time in a calendar's zone; everything else in the warehouse is UTC. So each day's hours are
    turned into UTC here, once, with the zone's own rules for that day, and cut at midnight UTC. Whoever asks for the
    business time between two instants then needs no zone at all: see macros/gold/business_time.sql.
-#}
with days as (

    select * from {{ ref('dim_calendar') }}

),

calendars as (

    select * from {{ ref('core_business_calendars') }}

),

hours as (

    select * from {{ ref('core_business_hours') }}

),

holidays as (

    select * from {{ ref('core_business_holidays') }}

),

opening_hours as (

    select
        calendars.calendar,
        calendars.time_zone,
        hours.iso_day_of_week,
        {{ minutes_of_day('hours.opens_at') }} as opens_minute,
        {{ minutes_of_day('hours.closes_at') }} as closes_minute
    from calendars
    inner join hours
        on calendars.calendar = hours.calendar

),

open_days as (

    select
        opening_hours.calendar,
        opening_hours.time_zone,
        {{ microseconds_later('days.date_day', 'opening_hours.opens_minute * 60000000') }} as opens_wall_time,
        {{ microseconds_later('days.date_day', 'opening_hours.closes_minute * 60000000') }} as closes_wall_time
    from days
    inner join opening_hours
        on days.iso_day_of_week = opening_hours.iso_day_of_week
    left join holidays
        on
            opening_hours.calendar = holidays.calendar
            and days.date_day = holidays.holiday
    where holidays.holiday is null

),

open_spans as (

    select
        calendar,
        {{ utc_of_wall_time('opens_wall_time', 'time_zone') }} as opens_at,
        {{ utc_of_wall_time('closes_wall_time', 'time_zone') }} as closes_at
    from open_days

),

-- A span of at most a day touches at most three days of UTC (a day on which clocks go back has 25 hours).
utc_days as (

    select 0 as later
    union all
    select 1 as later
    union all
    select 2 as later

),

touched as (

    select
        open_spans.calendar,
        open_spans.opens_at,
        open_spans.closes_at,
        cast(
            {{ microseconds_later('cast(open_spans.opens_at as date)', 'utc_days.later * 86400000000') }} as date
        ) as utc_date
    from open_spans
    cross join utc_days

),

cut as (

    select
        calendar,
        utc_date,
        greatest(opens_at, {{ microseconds_later('utc_date', 0) }}) as opens_at,
        least(closes_at, {{ microseconds_later('utc_date', 86400000000) }}) as closes_at
    from touched

),

numbered as (

    select
        calendar,
        utc_date,
        opens_at,
        closes_at,
        row_number() over (partition by calendar, utc_date order by opens_at) as position_in_day,
        lead(opens_at) over (partition by calendar, utc_date order by opens_at) as opens_again_at
    from cut
    where opens_at < closes_at

),

-- Each stretch lasts until the calendar opens again, at the latest until midnight; days without hours are one stretch.
stretches as (

    select
        calendars.calendar,
        days.date_day as utc_date,
        case
            when coalesce(numbered.position_in_day, 1) = 1 then {{ microseconds_later('days.date_day', 0) }}
            else numbered.opens_at
        end as stretch_starts_at,
        coalesce(
            numbered.opens_again_at, {{ microseconds_later('days.date_day', 86400000000) }}
        ) as stretch_ends_at,
        coalesce(numbered.opens_at, {{ microseconds_later('days.date_day', 0) }}) as opens_at,
        coalesce({{ seconds_between('numbered.opens_at', 'numbered.closes_at') }}, 0) as open_seconds
    from days
    cross join calendars
    left join numbered
        on
            days.date_day = numbered.utc_date
            and calendars.calendar = numbered.calendar

),

counted as (

    select
        *,
        coalesce(
            sum(open_seconds) over (
                partition by calendar
                order by stretch_starts_at
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as open_seconds_before
    from stretches

),

final as (

    select
        -- surrogate key
        cast({{ surrogate_key(['calendar', 'stretch_starts_at']) }} as varchar) as business_stretch_key,

        -- grain
        cast(calendar as varchar) as calendar,
        cast(utc_date as date) as utc_date,
        cast(stretch_starts_at as {{ timestamp_type() }}) as stretch_starts_at,
        cast(stretch_ends_at as {{ timestamp_type() }}) as stretch_ends_at,

        -- business time
        cast(opens_at as {{ timestamp_type() }}) as opens_at,
        cast(open_seconds as bigint) as open_seconds,
        cast(open_seconds_before as bigint) as open_seconds_before
    from counted

)

select * from final
