"""Landing and the warehouses: DuckDB on real files, Snowflake on the emulator, and both must do the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest

from include.bronze.batch import METADATA_COLUMNS, Batch, Window
from include.bronze.landing import CoveredScope, Landing, LandingError, Manifest
from include.bronze.ledger import looked_for_at
from include.bronze.warehouses import BronzeTable, HeldError, Warehouse, WarehouseError
from include.bronze.warehouses.duckdb import DuckDBWarehouse
from include.bronze.warehouses.lock import LOCK_FILE, LockedError, holder_of, lease, warehouse_lock
from include.bronze.warehouses.sql import identifier
from include.snowflake import Login
from tests.snowflake.emulator import Emulator

NOW = datetime(2026, 1, 5, 6, 20, tzinfo=UTC)
COLUMNS = ("ID", "STATE")
ISSUES = BronzeTable(
    name="PYLON_ISSUES",
    stream="pylon_issues",
    columns=(*COLUMNS, *METADATA_COLUMNS),
    replaces_everything=False,
    is_directory=False,
    is_child=False,
    version_stamp=None,
)


def batch(day: int) -> Batch:
    start = datetime(2026, 1, day, 6, tzinfo=UTC)
    return Batch("def", "pylon_issues", Window(start, start + timedelta(days=1)))


def land(
    landing: Landing,
    of: Batch,
    ids: list[str],
    *,
    state: str = "new",
    extra: str | None = None,
    at: datetime = NOW,
    read_at: str = "2026-01-05T06:20:00.000000Z",
    per_part: int = 2,
) -> Manifest:
    """Land one complete attempt with a row per id."""
    folder = landing.new_attempt(of, at)
    parts = []
    for number, begin in enumerate(range(0, len(ids), per_part), 1):
        chunk = ids[begin : begin + per_part]
        path = landing.part_path(folder, number)
        columns: dict[str, list[str | None]] = {"ID": [*chunk], "STATE": [state for _ in chunk]}
        if extra:
            columns[extra] = ["x" for _ in chunk]
        columns |= {name: [f"{name}-{i}" for i in chunk] for name in ("RECORD_HASH", "SOURCE_FILE")}
        columns["DATE_TO_WAREHOUSE"] = [read_at for _ in chunk]
        columns |= {
            "RECORD_KEY": [*chunk],
            "BATCH_ID": [of.id for _ in chunk],
            "PIPELINE_RUN_ID": ["run" for _ in chunk],
        }
        parts.append(landing.write_part(path, columns))
    manifest = Manifest(
        client=of.client,
        stream=of.stream,
        batch_id=of.id,
        attempt=folder.rsplit("/", 1)[1],
        strategy="incremental",
        window_start=of.window.start,
        window_end=of.window.end,
        asked_from=of.window.start - timedelta(hours=1),
        asked_to=of.window.end,
        started_at=at,
        ended_at=at,
        pipeline_run_id="run",
        rows=len(ids),
        pages=1,
        columns=(*COLUMNS, *([extra] if extra else []), *METADATA_COLUMNS),
        parts=tuple(parts),
        coverage=(CoveredScope("*", "complete", at, len(ids)),),
    )
    landing.complete(folder, manifest)
    return manifest


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(str(tmp_path / "landing"))


class DuckDBPlace:
    """One client's database in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def open(self) -> Warehouse:
        return DuckDBWarehouse(self.file)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(sql).fetchall()


class SnowflakePlace:
    """One client's database on the emulator."""

    def __init__(self, emulator: Emulator, database: str) -> None:
        self.emulator, self.database = emulator, database

    def open(self) -> Warehouse:
        from include.bronze.warehouses.snowflake import SnowflakeWarehouse

        return SnowflakeWarehouse(Login.read(self.emulator.environment), self.database, {"by": "a test"}, patience=10)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.emulator.query(sql, self.database)


Place = DuckDBPlace | SnowflakePlace


@pytest.fixture(params=["duckdb", pytest.param("snowflake", marks=pytest.mark.integration)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "duckdb":
        return DuckDBPlace(tmp_path / "warehouse" / "DEF_DB_LOCAL.duckdb")
    return SnowflakePlace(request.getfixturevalue("emulator"), f"DEF_DB_{uuid4().hex}".upper())


def load(place: Place, landing: Landing, manifest: Manifest, table: BronzeTable = ISSUES) -> None:
    with closing(place.open()) as warehouse:
        warehouse.load(table, manifest, landing, "run")


def query(place: Place, sql: str) -> list[tuple[object, ...]]:
    return sorted(place.rows(sql), key=repr)


def state_of(place: Place) -> tuple[list[tuple[object, ...]], ...]:
    """Everything a load may change, but for the identity of the load itself."""
    return (
        query(place, "select * from bronze.pylon_issues"),
        query(place, "select * exclude (load_id, loaded_at) from bronze.ingest_batches"),
        query(place, "select * from bronze.ingest_coverage"),
    )


def test_what_is_landed_is_read_back_as_it_was(landing: Landing) -> None:
    manifest = land(landing, batch(4), ["a", "b", "c"])
    assert landing.newest(batch(4)) == manifest
    assert [part.rows for part in manifest.parts] == [2, 1]


def test_an_attempt_without_a_manifest_is_never_read(landing: Landing) -> None:
    complete = land(landing, batch(4), ["a"])
    cut_off = landing.new_attempt(batch(4), NOW + timedelta(hours=1))
    landing.write_part(landing.part_path(cut_off, 1), {"ID": ["b"]})
    assert landing.newest(batch(4)) == complete


def test_the_newest_complete_attempt_is_the_one_to_load(landing: Landing) -> None:
    land(landing, batch(4), ["a"])
    later = land(landing, batch(4), ["b"], at=NOW + timedelta(hours=1))
    assert landing.newest(batch(4)) == later


def test_a_batch_without_an_attempt_says_so(landing: Landing) -> None:
    with pytest.raises(LandingError, match=f"batch {batch(4).id} has no complete attempt"):
        landing.newest(batch(4))


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_part_is_refused_before_anything_is_loaded(damage: str, landing: Landing, place: Place) -> None:
    load(place, landing, land(landing, batch(4), ["a", "b"]))
    before = state_of(place)
    manifest = land(landing, batch(4), ["c", "d"], at=NOW + timedelta(hours=1))
    part = Path(landing.full_path(manifest.parts[0].path))
    if damage == "missing":
        part.unlink()
    else:
        part.write_bytes(part.read_bytes()[:-1] + b"\0")
    with pytest.raises(LandingError, match=f"part {re.escape(manifest.parts[0].path)} is .*; extract the batch again"):
        load(place, landing, manifest)
    assert state_of(place) == before


def test_a_manifest_that_cannot_be_read_names_itself(landing: Landing) -> None:
    manifest = land(landing, batch(4), ["a"])
    path = Path(landing.full_path(manifest.parts[0].path)).with_name("manifest.json")
    path.write_text("{")
    with pytest.raises(LandingError, match=r"manifest .*manifest\.json cannot be read"):
        landing.newest(batch(4))


def test_loading_a_batch_twice_is_loading_it_once(landing: Landing, place: Place) -> None:
    manifest = land(landing, batch(4), ["a", "b", "c"])
    load(place, landing, manifest)
    once = state_of(place)
    load(place, landing, manifest)
    assert state_of(place) == once
    assert len(once[0]) == 3


def test_a_reload_replaces_its_own_batch_and_touches_no_other(landing: Landing, place: Place) -> None:
    load(place, landing, land(landing, batch(3), ["a", "b"]))
    load(place, landing, land(landing, batch(4), ["a", "c", "d"]))
    load(place, landing, land(landing, batch(4), ["a"], state="closed", at=NOW + timedelta(hours=1)))
    rows = query(place, "select id, state, batch_id from bronze.pylon_issues")
    assert rows == [("a", "closed", batch(4).id), ("a", "new", batch(3).id), ("b", "new", batch(3).id)]
    ledger = query(place, "select batch_id, row_count from bronze.ingest_batches")
    assert ledger == [(batch(3).id, 2), (batch(4).id, 1)]


def test_an_empty_batch_is_loaded_and_covers_its_window(landing: Landing, place: Place) -> None:
    load(place, landing, land(landing, batch(4), ["a"]))
    load(place, landing, land(landing, batch(4), [], at=NOW + timedelta(hours=1)))
    rows, batches, coverage = state_of(place)
    assert rows == []
    assert len(batches) == len(coverage) == 1
    with closing(place.open()) as warehouse:
        assert warehouse.completed("pylon_issues") == [batch(4).window]


def test_a_new_field_becomes_a_column_and_a_vanished_one_is_null(landing: Landing, place: Place) -> None:
    load(place, landing, land(landing, batch(3), ["a"], extra="SENTIMENT"))
    load(place, landing, land(landing, batch(4), ["b"]))
    rows = query(place, "select id, sentiment from bronze.pylon_issues")
    assert rows == [("a", "x"), ("b", None)]


def test_every_bronze_column_is_text(landing: Landing, place: Place) -> None:
    load(place, landing, land(landing, batch(4), ["a"]))
    listed = "select distinct data_type from information_schema.columns where table_name = 'PYLON_ISSUES'"
    assert query(place, listed) in ([("VARCHAR",)], [("TEXT",)])


def test_a_load_that_fails_in_the_middle_changes_nothing(landing: Landing, place: Place) -> None:
    load(place, landing, land(landing, batch(4), ["a", "b"]))
    before = state_of(place)
    short = land(landing, batch(4), ["c"], at=NOW + timedelta(hours=1))
    lying = Manifest(**{**short.__dict__, "rows": 5})
    with pytest.raises(WarehouseError, match="was not loaded and PYLON_ISSUES is as it was: its parts hold 1 rows"):
        load(place, landing, lying)
    assert state_of(place) == before


def test_a_batch_that_needs_more_memory_gets_it(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = DuckDBPlace(tmp_path / "DEF_DB_LOCAL.duckdb")
    load(place, landing, land(landing, batch(1), ["a"]))
    # One value is more than the limit.
    manifest = land(landing, batch(2), ["b", "c"], state="x" * 3_000_000)
    caplog.set_level("INFO")
    monkeypatch.setattr("include.bronze.warehouses.duckdb.MEMORY", "2MB")
    load(place, landing, manifest)
    assert f"{manifest.batch_id} needs more memory than 2MB" in caplog.text
    assert query(place, "select ID, length(STATE) from BRONZE.PYLON_ISSUES order by 1") == [
        ("a", 3),
        ("b", 3_000_000),
        ("c", 3_000_000),
    ]


def test_what_a_build_left_in_the_log_may_be_more_than_a_load_may_hold(tmp_path: Path) -> None:
    """A task's process ends without closing its files; whoever opens them next reads the log, all of it, into memory."""
    file = tmp_path / "warehouse" / "DEF_DB_LOCAL.duckdb"
    file.parent.mkdir()
    build = f"""
import os, duckdb
connection = duckdb.connect({str(file)!r})
connection.execute("set checkpoint_threshold = '10GB'")
for table in range(60):
    connection.execute(f"create table built_{{table}} (id bigint primary key, text varchar)")
    connection.execute(f"insert into built_{{table}} select range, md5(random()::varchar) from range(40_000)")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", build], check=True)
    assert file.with_suffix(".duckdb.wal").stat().st_size > 70_000_000
    with closing(DuckDBWarehouse(file)) as warehouse:
        assert warehouse.ledger() == []
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("select count(*), sum(id) from built_59").fetchall() == [(40_000, 799_980_000)]


def test_a_load_that_fails_leaves_nothing_that_the_next_one_could_commit(landing: Landing, place: Place) -> None:
    load(place, landing, land(landing, batch(4), ["a", "b"]))
    before = state_of(place)
    lying = replace(land(landing, batch(4), ["c"], at=NOW + timedelta(hours=1)), rows=5)
    with closing(place.open()) as warehouse:
        with pytest.raises(WarehouseError, match="was not loaded"):
            warehouse.load(ISSUES, lying, landing, "run")
        warehouse.load(ISSUES, land(landing, batch(5), []), landing, "run")
    rows, batches, _ = state_of(place)
    assert rows == before[0]
    assert [row for row in batches if row[1] == batch(4).id] == before[1]


@pytest.mark.parametrize("name", ["a", 'X"; drop table y --', "", "É", "X Y", "1X"])
def test_what_is_no_plain_name_never_reaches_sql(name: str) -> None:
    with pytest.raises(WarehouseError, match="cannot be a table or column name"):
        identifier(name)


HOLD = """
import sys
from pathlib import Path
from include.bronze.warehouses.lock import warehouse_lock
with warehouse_lock(Path(sys.argv[1]), "nightly run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_names_its_holder_and_is_gone_when_the_holder_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        said: list[str] = []
        with pytest.raises(LockedError, match=rf"in use by nightly run \(pid {holder.pid}, since "):
            with warehouse_lock(tmp_path, "me", wait=0.2, report=said.append):
                pytest.fail("two holders at once")
        assert said == [
            f"the warehouse in {tmp_path} is in use by {holder_of(tmp_path / LOCK_FILE)}; 'me' waits for it"
        ]
    finally:
        holder.kill()
        holder.wait()
    with warehouse_lock(tmp_path, "me", wait=5):
        assert f"me (pid {os.getpid()}" in holder_of(tmp_path / LOCK_FILE)


def test_a_process_that_has_the_lock_does_not_wait_for_itself(tmp_path: Path) -> None:
    with warehouse_lock(tmp_path, "outer", wait=0), warehouse_lock(tmp_path, "inner", wait=0):
        assert "outer" in holder_of(tmp_path / LOCK_FILE)


def test_a_rate_bucket_belongs_to_one_at_a_time_and_another_bucket_never_waits(tmp_path: Path) -> None:
    with lease(tmp_path, "pylon_def", "GET /accounts", "night", wait=0):
        names = sorted(path.name for path in tmp_path.iterdir())
        with lease(tmp_path, "pylon_def", "POST /issues/search", "sync", wait=0):
            assert sorted(path.name for path in tmp_path.iterdir()) == [*names, "pylon-def-post-issues-search.lock"]


DIRECTORY = replace(ISSUES, name="PYLON_TAGS", stream="pylon_tags", is_directory=True)


def tags(day: int) -> Batch:
    return replace(batch(day), stream="pylon_tags")


def test_a_directory_that_lost_too_much_is_held_until_a_person_approves(landing: Landing, place: Place) -> None:
    everything = [f"t{i:03d}" for i in range(100)]
    load(place, landing, land(landing, tags(3), everything, per_part=500), DIRECTORY)
    suspicious = land(landing, tags(4), everything[:79], at=NOW + timedelta(days=1), per_part=50)
    with pytest.raises(HeldError, match=f"no longer holds 21 of the 100 records.*approve {tags(4).id}"):
        load(place, landing, suspicious, DIRECTORY)
    assert query(place, "select count(*) from bronze.pylon_tags") == [(100,)]
    landing.approve(suspicious)
    load(place, landing, suspicious, DIRECTORY)
    assert query(place, "select count(*) from bronze.pylon_tags") == [(179,)]


def test_a_directory_may_lose_a_little(landing: Landing, place: Place) -> None:
    everything = [f"t{i:03d}" for i in range(1000)]
    load(place, landing, land(landing, tags(3), everything, per_part=500), DIRECTORY)
    load(place, landing, land(landing, tags(4), everything[:950], at=NOW + timedelta(days=1), per_part=500), DIRECTORY)
    with pytest.raises(HeldError, match="no longer holds 950 of the 950"):
        load(place, landing, land(landing, tags(5), [], at=NOW + timedelta(days=2)), DIRECTORY)


def test_a_full_refresh_leaves_one_batch(landing: Landing, place: Place) -> None:
    roster = replace(ISSUES, name="ROSTER_DEF", stream="pylon_issues", replaces_everything=True)
    load(place, landing, land(landing, batch(3), ["a", "b"]), roster)
    load(place, landing, land(landing, batch(4), ["b"], at=NOW + timedelta(days=1)), roster)
    assert query(place, "select id, batch_id from bronze.roster_def") == [("b", batch(4).id)]
    assert query(place, "select batch_id from bronze.ingest_batches") == [(batch(4).id,)]
    assert query(place, "select distinct batch_id from bronze.ingest_coverage") == [(batch(4).id,)]


def test_what_a_stream_buries_is_gone_for_the_stream_and_its_children(landing: Landing, place: Place) -> None:
    deleted = replace(ISSUES, name="PLAIN_DELETED_THREADS", buries=("plain_threads", "plain_timeline_entries"))
    load(place, landing, land(landing, batch(3), ["th_1"]), deleted)
    gone = query(place, "select stream, scope, outcome from bronze.ingest_coverage where outcome = 'gone'")
    assert gone == [("plain_threads", "th_1", "gone"), ("plain_timeline_entries", "th_1", "gone")]


READ = "2026-01-09T06:20:00.000000Z"


@pytest.mark.parametrize(
    ("deleted_at", "proved_at"),
    [
        ('{"iso8601": "2026-01-05T10:00:00.250Z"}', "2026-01-05T11:00:00.250000Z"),
        ("2026-01-05T07:00:00-03:00", "2026-01-05T11:00:00.000000Z"),
        ("2026-01-05T10:00:00", "2026-01-05T11:00:00.000000Z"),
        ('{"iso8601": "2026-01-09T06:00:00Z"}', READ),
        ('{"iso8601": null}', READ),
        ('{"iso8601": "soon"}', READ),
        ("{broken", READ),
        ("[]", READ),
        (None, READ),
    ],
)
def test_a_reported_deletion_is_proof_from_when_it_happened(deleted_at: str | None, proved_at: str) -> None:
    assert looked_for_at(READ, deleted_at) == proved_at


def test_what_is_known_leaves_out_what_was_looked_for_in_vain_since(landing: Landing, place: Place) -> None:
    load(place, landing, land(landing, batch(3), ["a", "b"], read_at="2026-01-05T06:20:00.000000Z"))
    looked = land(landing, batch(4), ["c"], read_at="2026-01-05T06:20:00.000000Z")
    gone = (
        CoveredScope("a", "gone", NOW + timedelta(hours=1), 0),
        CoveredScope("b", "gone", NOW - timedelta(hours=1), 0),
    )
    load(place, landing, replace(looked, coverage=gone))
    with closing(place.open()) as warehouse:
        assert sorted(warehouse.known(ISSUES)) == ["b", "c"]
