"""The grid, windows and batch ids."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.bronze.batch import (
    LONGEST_WINDOW,
    Batch,
    Grid,
    Window,
    record_hash,
    snapshot_window,
    stamp,
    uncovered_cells,
    windows_to_load,
)
from include.bronze.plan import sync_window

SAO_PAULO = Grid(ZoneInfo("America/Sao_Paulo"), time(3))
NEW_YORK = Grid(ZoneInfo("America/New_York"), time(2, 30))  # half past two does not exist in one night of spring
ZONES = st.sampled_from(["America/Sao_Paulo", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"])
GRIDS = st.builds(Grid, ZONES.map(ZoneInfo), st.times())
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


def at(day: int, hour: int = 6, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_a_cell_is_a_night_to_the_next_in_the_clients_zone() -> None:
    assert SAO_PAULO.cells(at(4), at(6)) == [Window(at(4), at(5)), Window(at(5), at(6))]


def test_only_whole_cells_count() -> None:
    assert SAO_PAULO.cells(at(4), at(6) - timedelta(seconds=1)) == [Window(at(4), at(5))]


@given(GRIDS, INSTANTS, st.integers(0, 40))
def test_cells_touch_each_other_and_begin_at_the_cut_before_the_start(grid: Grid, start: datetime, days: int) -> None:
    cells = grid.cells(start, start + timedelta(days=days))
    assert all(a.end == b.start for a, b in zip(cells, cells[1:], strict=False))
    if cells:
        assert cells[0].start == grid.floor(start)
        assert grid.floor(start) <= start
        assert cells[-1].end <= start + timedelta(days=days)


@given(GRIDS, INSTANTS)
def test_the_floor_of_an_instant_is_the_last_cut_before_it(grid: Grid, instant: datetime) -> None:
    floor = grid.floor(instant)
    following = min(
        cut for k in range(4) if (cut := grid.boundary(floor.astimezone(grid.zone).date() + timedelta(days=k))) > floor
    )
    assert floor <= instant < following


def test_a_boundary_that_a_clock_change_skips_is_still_one_cut() -> None:
    cells = NEW_YORK.cells(NEW_YORK.boundary(date(2026, 3, 7)), NEW_YORK.boundary(date(2026, 3, 10)))
    assert [cell.end - cell.start for cell in cells] == [timedelta(days=1), timedelta(hours=23), timedelta(days=1)]


@given(st.sets(st.integers(0, 60)), st.integers(1, 60))
def test_loading_what_is_planned_covers_every_cell_once_and_leaves_nothing_to_plan(
    loaded: set[int], length: int
) -> None:
    start, end = at(1), at(1) + timedelta(days=length)
    cells = SAO_PAULO.cells(start, end)
    covered = [cells[i] for i in loaded if i < len(cells)]
    planned = [window for window, _ in windows_to_load(uncovered_cells(SAO_PAULO, start, end, covered))]
    assert all(window.end - window.start <= LONGEST_WINDOW for window in planned)
    assert uncovered_cells(SAO_PAULO, start, end, [*covered, *planned]) == []
    instants = sorted([*covered, *planned])
    assert all(a.end <= b.start for a, b in zip(instants, instants[1:], strict=False))


def test_a_first_run_reads_history_in_the_longest_windows() -> None:
    planned = windows_to_load(SAO_PAULO.cells(at(1), at(1) + timedelta(days=65)))
    assert [(window.end - window.start, history) for window, history in planned] == [
        (timedelta(days=30), True),
        (timedelta(days=30), True),
        (timedelta(days=5), True),
    ]


def test_an_interrupted_history_goes_on_with_the_same_windows() -> None:
    cells = SAO_PAULO.cells(at(1), at(1) + timedelta(days=65))
    whole = windows_to_load(cells)
    rest = windows_to_load(uncovered_cells(SAO_PAULO, cells[0].start, cells[-1].end, [whole[0][0]]))
    assert [window for window, _ in rest] == [window for window, _ in whole[1:]]


def test_two_missed_nights_are_loaded_night_by_night() -> None:
    cells = SAO_PAULO.cells(at(4), at(6))
    assert windows_to_load(cells) == [(cells[0], False), (cells[1], False)]


def test_a_sync_in_the_middle_of_a_day_covers_no_cell() -> None:
    sync = Window(at(4), at(4, 18))
    assert uncovered_cells(SAO_PAULO, at(4), at(5), [sync]) == [Window(at(4), at(5))]


def test_a_directory_is_read_once_for_all_missed_nights() -> None:
    assert snapshot_window(SAO_PAULO.cells(at(1), at(8))) == [(Window(at(1), at(8)), False)]
    assert snapshot_window([]) == []


def test_a_batch_id_is_a_function_of_stream_and_window() -> None:
    batch = Batch("def", "pylon_issues", Window(at(4), at(5)))
    assert batch.id == "def__pylon_issues__20260104T060000Z__20260105T060000Z"
    assert Batch.parse(batch.id) == batch


@pytest.mark.parametrize("text", ["", "def__pylon_issues", "def__x__20260104T060000Z__20260105T060000Z'; drop table x"])
def test_what_is_no_batch_id_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a batch id; it must read client__stream__start__end"):
        Batch.parse(text)


def test_a_window_must_end_after_it_starts() -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        Window(at(5), at(5))


def test_stamps_sort_as_text_in_order_of_time() -> None:
    whole, fraction = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 5, 0, 0, 0, 1, tzinfo=UTC)
    assert stamp(whole) < stamp(fraction)
    assert len(stamp(whole)) == len(stamp(fraction))


def test_the_hash_of_a_record_knows_no_order_and_no_volatile_field() -> None:
    record = {"id": b'"1"', "state": b'"new"', "attachment_urls": b'["a"]'}
    again = {"state": b'"new"', "attachment_urls": b'["b"]', "id": b'"1"'}
    assert record_hash(record, frozenset({"attachment_urls"})) == record_hash(again, frozenset({"attachment_urls"}))
    assert record_hash(record, frozenset()) != record_hash(again, frozenset())


def test_a_fingerprint_is_the_same_in_every_release() -> None:
    """Another one would make every record that is read again a new version."""
    record = {"state": b'"new"', "id": b'"a"', "attachment_urls": b"[]"}
    expected = hashlib.sha256(b'id\x1f"a"\x1estate\x1f"new"\x1e').hexdigest()
    assert record_hash(record, frozenset({"attachment_urls"})) == expected


def test_the_hash_of_a_record_tells_a_field_from_its_value() -> None:
    assert record_hash({"a": b"1b"}, frozenset()) != record_hash({"a1": b"b"}, frozenset())
    assert record_hash({"a": b"1"}, frozenset()) != record_hash({"a": b'"1"'}, frozenset())


def test_syncs_of_a_day_follow_each_other_and_the_night_reads_the_day_again() -> None:
    night = datetime(2026, 1, 5, 6, tzinfo=UTC)
    start = night - timedelta(days=3)
    nights = [Window(start + timedelta(days=n), start + timedelta(days=n + 1)) for n in range(3)]
    first = sync_window(SAO_PAULO, start, night + timedelta(hours=2), nights)
    assert first == Window(night, night + timedelta(hours=2))
    second = sync_window(SAO_PAULO, start, night + timedelta(hours=5), [*nights, first])
    assert second == Window(night + timedelta(hours=2), night + timedelta(hours=5))
    tomorrow = night + timedelta(days=1)
    assert uncovered_cells(SAO_PAULO, start, tomorrow, [*nights, first, second]) == [Window(night, tomorrow)]


def test_a_sync_after_missed_nights_begins_where_the_gap_does() -> None:
    night = datetime(2026, 1, 5, 6, tzinfo=UTC)
    start = night - timedelta(days=3)
    nights = [Window(start, start + timedelta(days=1)), Window(night - timedelta(days=1), night)]
    assert sync_window(SAO_PAULO, start, night + timedelta(hours=1), nights) == Window(
        start + timedelta(days=1), night + timedelta(hours=1)
    )


def test_a_look_up_in_the_middle_of_a_day_moves_no_sync_on() -> None:
    night = datetime(2026, 1, 5, 6, tzinfo=UTC)
    day = Window(night - timedelta(days=1), night)
    look_up = Window(night + timedelta(hours=3), night + timedelta(hours=3, seconds=9))
    until = night + timedelta(hours=6)
    assert sync_window(SAO_PAULO, day.start, until, [day, look_up]) == Window(night, until)


def test_a_sync_right_after_a_night_reads_nothing() -> None:
    night = datetime(2026, 1, 5, 6, tzinfo=UTC)
    day = Window(night - timedelta(days=1), night)
    assert sync_window(SAO_PAULO, day.start, night, [day]) is None
