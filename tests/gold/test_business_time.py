"""Business time in SQL against a walk through time, a quarter of an hour at a step.

The walk asks of each quarter whether clocks in the zone show opening hours, and adds up those that do. It knows nothing
of calendars in UTC, of sums before a day, or of how a zone's wall time is turned into an instant.
"""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.dbt.project import Project, copy_of_project

pytestmark = pytest.mark.integration

INTERVALS = int(os.environ.get("SUPPORT_INTERVALS", "2400"))  # a campaign asks for more, and for others
SEED = int(os.environ.get("SUPPORT_INTERVALS_SEED", "20"))
QUARTER = 900_000_000  # microseconds
YEAR = 365 * 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

WORKDAYS = (1, 2, 3, 4, 5)
EVERY_DAY = (*WORKDAYS, 6, 7)


@dataclass(frozen=True)
class Calendar:
    zone: str
    days: tuple[int, ...]
    hours: tuple[tuple[str, str], ...]
    years: tuple[int, int]
    holidays: tuple[str, ...] = ()
    around: tuple[str, ...] = ()  # days on which many intervals begin


CALENDARS = {
    "plain_days": Calendar(
        "America/Sao_Paulo", WORKDAYS, (("08:00", "18:00"),), (2020, 2027), ("2025-03-03", "2025-03-04", "2025-12-25"),
        ("2025-02-28", "2025-12-24"),
    ),
    "with_a_break": Calendar(
        "America/New_York", WORKDAYS, (("09:00", "12:00"), ("13:00", "17:30")), (2019, 2027), ("2025-07-04",),
        ("2025-03-07", "2025-11-01", "2024-03-10"),
    ),
    "six_days": Calendar(
        "Europe/Lisbon", (*WORKDAYS, 6), (("08:15", "13:00"), ("14:00", "19:45")), (2018, 2027), ("2025-04-25",),
        ("2025-03-29", "2025-10-25"),
    ),
    "always": Calendar(
        "America/New_York", EVERY_DAY, (("00:00", "24:00"),), (2019, 2027), ("2025-11-27",),
        ("2025-03-09", "2025-11-02", "2024-11-03"),
    ),
    # Clocks in São Paulo changed at midnight, the last time in 2019: in the middle of this one's nights.
    "nights": Calendar(
        "America/Sao_Paulo", EVERY_DAY, (("00:00", "06:00"), ("22:00", "24:00")), (2015, 2020), ("2018-12-25",),
        ("2018-11-03", "2018-11-04", "2018-02-17", "2019-02-16", "2016-10-15"),
    ),
    "old_days": Calendar(
        "America/Sao_Paulo", WORKDAYS, (("08:00", "18:00"),), (2015, 2020), ("2018-11-02",),
        ("2018-11-02", "2018-02-16", "2019-02-15"),
    ),
    "half_hours": Calendar("Asia/Kolkata", (7, 1, 2, 3, 4), (("09:30", "18:30"),), (2020, 2027)),
    "far_east": Calendar("Pacific/Auckland", EVERY_DAY, (("07:00", "23:00"),), (2020, 2027), (), ("2025-04-05",)),
}  # fmt: skip


@dataclass(frozen=True)
class Interval:
    number: int
    calendar: str
    start: int  # microseconds since 1970
    end: int
    target: int  # seconds


# ---------------------------------------------------------------- the walk


@cache
def is_open(name: str, quarter: int) -> bool:
    calendar = CALENDARS[name]
    local = datetime.fromtimestamp(900 * quarter, ZoneInfo(calendar.zone))
    if local.isoweekday() not in calendar.days or local.date().isoformat() in calendar.holidays:
        return False
    wall_time = f"{local.hour:02}:{local.minute:02}"
    return any(opens <= wall_time < closes for opens, closes in calendar.hours)


def open_parts(name: str, start: int) -> Iterator[tuple[int, int]]:
    """From an instant on, what is open of each quarter of an hour."""
    quarter = start // QUARTER
    while True:
        if is_open(name, quarter):
            yield max(start, quarter * QUARTER), (quarter + 1) * QUARTER
        else:
            yield quarter * QUARTER, quarter * QUARTER
        quarter += 1


def walked(interval: Interval) -> int:
    total = 0
    for start, end in open_parts(interval.calendar, interval.start):
        if start >= interval.end:
            return total // 1_000_000
        total += min(end, interval.end) - start if end > start else 0
    raise AssertionError


def walked_to(interval: Interval) -> int:
    left = interval.target * 1_000_000
    for start, end in open_parts(interval.calendar, interval.start):
        if left <= end - start:
            return start + left
        left -= end - start
    raise AssertionError


# ---------------------------------------------------------------- the same by the project's SQL


def intervals() -> list[Interval]:
    rng = random.Random(SEED)
    found = []
    names = list(CALENDARS)
    for number in range(INTERVALS):
        name = names[number % len(names)]
        calendar = CALENDARS[name]
        if calendar.around and rng.random() < 0.4:
            start = _micros(date.fromisoformat(rng.choice(calendar.around))) + rng.randrange(48 * 3600 * 1_000_000)
        else:
            first, last = (_micros(date(year, 1, 1)) for year in calendar.years)
            start = rng.randrange(first, last - 60 * 86_400_000_000)
        start -= start % rng.choice((1, 1_000, 1_000_000, 60_000_000, QUARTER))
        length = 4 * YEAR if number % 400 == 0 else rng.choice((2, 40, 400)) * 3_600_000_000
        target = rng.choice((3600, 14_400, 36_000, 108_000, 180_000, rng.randrange(1, 200_000)))
        end = start + (length if length > YEAR else rng.randrange(length))
        found.append(Interval(number, name, start, end, target))
    return found


def _micros(day: date) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def _written(micros: int) -> str:
    return (EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%d %H:%M:%S.%f")


MODEL = """
with intervals as (

    select
        number,
        calendar,
        cast(start_at as {{ timestamp_type() }}) as start_at,
        cast(end_at as {{ timestamp_type() }}) as end_at,
        target
    from {{ ref('core_intervals') }}

),

business_calendar as (

    select * from {{ ref('dim_business_calendar') }}

),

deadline_stretches as (

    {{ business_deadline_stretches() }}

),

measured as (

    select
        intervals.*,
        {{ business_seconds_between('started', 'intervals.start_at', 'ended', 'intervals.end_at') }} as seconds,
        {{ business_level('started', 'intervals.start_at', 'intervals.target') }} as due_level
    from intervals
    left join business_calendar as started
        on {{ in_business_stretch('started', 'intervals.calendar', 'intervals.start_at') }}
    left join business_calendar as ended
        on {{ in_business_stretch('ended', 'intervals.calendar', 'intervals.end_at') }}

),

final as (

    select
        measured.*,
        {{ business_deadline('due', 'measured.due_level') }} as due_at
    from measured
    left join deadline_stretches as due
        on {{ in_deadline_stretch('due', 'measured.calendar', 'measured.due_level') }}

)

select * from final
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with calendars of the test's own, and a model that measures the test's intervals by them."""
    folder = tmp_path_factory.mktemp("calendars")
    copy = copy_of_project(folder)
    seeds = copy / "seeds" / "core"
    _append(seeds / "core_business_calendars.csv", ((name, each.zone, name) for name, each in CALENDARS.items()))
    _append(
        seeds / "core_business_hours.csv",
        (
            (name, day, opens, closes)
            for name, each in CALENDARS.items()
            for day in each.days
            for opens, closes in each.hours
        ),
    )
    _append(
        seeds / "core_business_holidays.csv",
        ((name, day, "a holiday") for name, each in CALENDARS.items() for day in each.holidays),
    )
    (seeds / "core_intervals.csv").write_text("number,calendar,start_at,end_at,target\n")
    _append(
        seeds / "core_intervals.csv",
        ((each.number, each.calendar, _written(each.start), _written(each.end), each.target) for each in intervals()),
    )
    (copy / "models" / "core" / "gold" / "dim_measured.sql").write_text(MODEL)
    project = Project(folder / "data", copy)
    built = project.run("build", "--select", "+dim_measured", "--indirect-selection", "cautious")
    assert built.success, built.said()
    return project


def _append(path: Path, rows: Any) -> None:
    with path.open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


@pytest.fixture(scope="module")
def measured(project: Project) -> dict[int, tuple[int, int]]:
    with duckdb.connect(str(project.warehouse / "CORE_DB_LOCAL.duckdb"), read_only=True) as connection:
        rows = connection.execute("select number, seconds, epoch_us(due_at) from GOLD.dim_measured").fetchall()
    found = {number: (seconds, due) for number, seconds, due in rows}
    assert len(found) == len(rows), "a join multiplied an interval"
    return found


def test_business_seconds_are_those_of_a_walk(measured: dict[int, tuple[int, int]]) -> None:
    assert {each.number: measured[each.number][0] for each in intervals()} == {
        each.number: walked(each) for each in intervals()
    }


def test_deadlines_are_when_a_walk_has_used_the_time_up(measured: dict[int, tuple[int, int]]) -> None:
    assert {each.number: measured[each.number][1] for each in intervals()} == {
        each.number: walked_to(each) for each in intervals()
    }


def test_years_and_nights_are_counted_too(measured: dict[int, tuple[int, int]]) -> None:
    """Intervals of several years, and some in which the calendar never opens: none is cut short, none gets lost."""
    spans = {each.number: (each.end - each.start) / YEAR for each in intervals()}
    assert max(spans.values()) > 3
    assert any(measured[number][0] == 0 and span > 0 for number, span in spans.items())


def test_every_instant_lies_in_exactly_one_stretch_of_each_calendar(project: Project) -> None:
    with duckdb.connect(str(project.warehouse / "CORE_DB_LOCAL.duckdb"), read_only=True) as connection:
        gaps = connection.execute(
            """
            select calendar, stretch_starts_at, lead(stretch_starts_at) over (
                partition by calendar order by stretch_starts_at
            ) as next_at
            from GOLD.dim_business_calendar
            qualify next_at <> stretch_ends_at
            """
        ).fetchall()
        ends = connection.execute(
            "select calendar, min(stretch_starts_at), max(stretch_ends_at) from GOLD.dim_business_calendar group by 1"
        ).fetchall()
    assert gaps == []
    assert {(first, last) for _, first, last in ends} == {(datetime(2015, 1, 1), datetime(2036, 1, 1))}
    assert {name for name, *_ in ends} >= CALENDARS.keys()


def test_the_walk_itself_knows_the_days_on_which_clocks_change() -> None:
    def hours(name: str, *days: str) -> float:
        zone = ZoneInfo(CALENDARS[name].zone)
        start, end = (
            (datetime.fromisoformat(day).replace(tzinfo=zone) - EPOCH) // timedelta(microseconds=1) for day in days
        )
        return walked(Interval(0, name, start, end, 0)) / 3600

    assert hours("always", "2025-06-01", "2025-06-02") == 24
    assert hours("always", "2025-03-09", "2025-03-10") == 23
    assert hours("always", "2025-11-02", "2025-11-03") == 25
    assert hours("always", "2025-11-27", "2025-11-28") == 0
    assert hours("nights", "2018-11-03", "2018-11-05") == 8 + 7
    assert hours("nights", "2018-02-17", "2018-02-18") == 9
    assert hours("with_a_break", "2025-03-07", "2025-03-11") == 15
