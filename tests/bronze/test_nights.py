"""Bronze over random schedules against running vendors: nothing is lost, nothing is there twice, every cell is covered."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations, count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from include.bronze import extract
from include.bronze.batch import METADATA_COLUMNS, Batch, Window
from include.bronze.landing import Attempt, Outcome
from include.bronze.plan import PlannedBatch
from include.bronze.retention import expire, expired
from include.bronze.sources import plain, pylon
from include.bronze.sources.http import Api, Patience, RefusedError, SourceError, UnansweredError
from include.bronze.steps import Bronze
from include.bronze.streams import Cadence, LoadStrategy
from include.bronze.verify import verify
from include.bronze.warehouses import LedgerRow, WarehouseError
from include.settings import Settings
from tests.bronze.vendors import NIGHT, Vendors, bronze_for, run_night, served

pytestmark = pytest.mark.integration

ISSUES, MESSAGES, ACCOUNTS = "pylon_issues", "pylon_messages", "pylon_accounts"
THREADS, TIMELINES = "plain_threads", "plain_timeline_entries"
SCHEDULED = (ISSUES, MESSAGES, ACCOUNTS, THREADS, TIMELINES)
ENDPOINTS = [
    ("pylon", "POST /issues/search"),
    ("pylon", "GET /issues/{id}/messages"),
    ("pylon", "GET /accounts"),
    ("plain", "threads"),
    ("plain", "thread"),
]
FIRST_NIGHT = datetime(2025, 12, 15, 6, 20, tzinfo=UTC)
FAR = datetime.max.replace(tzinfo=UTC)
# A campaign asks for others.
SCHEDULES = [int(seed) for seed in os.environ.get("SUPPORT_SCHEDULE_SEEDS", "0,1,2,3").split(",")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendors]:
    with served(tmp_path_factory.mktemp("vendors")) as vendors:
        yield vendors


@pytest.fixture
def vendors(running: Vendors, monkeypatch: pytest.MonkeyPatch) -> Vendors:
    """The vendors at the first night, without faults, asked in pages small enough to have several."""
    running.clear_faults()
    running.set_clock(FIRST_NIGHT)
    monkeypatch.setattr(pylon, "PAGE_SIZE", 7)
    monkeypatch.setattr(plain, "PAGE_SIZE", 7)
    impatient = Patience(tries=3, first_wait=0.001, longest_wait=0.01, in_all=5.0, timeout=(2.0, 5.0))
    monkeypatch.setattr(Api.__init__, "__kwdefaults__", Api.__init__.__kwdefaults__ | {"patience": impatient})
    return running


@pytest.fixture
def bronze(vendors: Vendors, tmp_path: Path) -> Bronze:
    return bronze_for(vendors, tmp_path)


def query(bronze: Bronze, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(bronze.settings.database_file("def")), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def issues_in(bronze: Bronze, batch_id: str) -> Counter[tuple[str, str]]:
    rows = query(bronze, f"select id, updated_at from bronze.pylon_issues where batch_id = '{batch_id}'")
    return Counter((str(id_), str(at)) for id_, at in rows)


def messages_in(bronze: Bronze, batch_id: str) -> Counter[tuple[str, str]]:
    rows = query(bronze, f"select parent_key, id from bronze.pylon_messages where batch_id = '{batch_id}'")
    return Counter((str(parent), str(id_)) for parent, id_ in rows)


def threads_in(bronze: Bronze, batch_id: str) -> Counter[tuple[str, str]]:
    stamp = "json_extract_string(updated_at, '$.iso8601')"
    rows = query(bronze, f"select id, {stamp} from bronze.plain_threads where batch_id = '{batch_id}'")
    return Counter((str(id_), str(at)) for id_, at in rows)


def entries_in(bronze: Bronze, batch_id: str) -> Counter[tuple[str, str]]:
    rows = query(bronze, f"select parent_key, id from bronze.plain_timeline_entries where batch_id = '{batch_id}'")
    return Counter((str(parent), str(id_)) for parent, id_ in rows)


class Schedule:
    """One random history of nights, and what each landed attempt must have delivered."""

    def __init__(self, seed: int, vendors: Vendors, bronze: Bronze) -> None:
        self.rng = random.Random(seed)
        self.vendors, self.bronze = vendors, bronze
        self.expected: dict[str, Counter[tuple[str, str]]] = {}
        self.runs = 0

    def step(self) -> None:
        steps = [
            self.night,
            self.night,
            self.missed_nights,
            self.some_of_it,
            self.crash,
            self.replay,
            self.extract_again,
        ]
        self.rng.choice(steps)()

    def night(self) -> None:
        """The clock goes on a night, and a run loads what is missing, with or without faults on the way."""
        self.vendors.advance(NIGHT)
        self._run()

    def missed_nights(self) -> None:
        """The scheduler is down for two nights."""
        self.vendors.advance(3 * NIGHT)
        self._run()

    def some_of_it(self) -> None:
        """A run that gets to some of its windows only, and not in their order: what is older comes later."""
        self.vendors.advance(NIGHT)
        self.runs += 1
        planned = self.bronze.plan(FAR)[ISSUES]
        some = self.rng.sample(planned, self.rng.randrange(len(planned) + 1))
        self.bronze.load(ISSUES, self._extract(ISSUES, some, f"some-{self.runs}"), f"some-{self.runs}")

    def crash(self) -> None:
        """The run ends after landing and before loading; the next one starts over."""
        self.vendors.advance(NIGHT)
        plan = self.bronze.plan(FAR)
        self._extract(ISSUES, plan[ISSUES], f"crashed-{self.runs}")

    def replay(self) -> None:
        """A landed batch is loaded again."""
        loaded = [row.batch_id for row in ledger(self.bronze) if row.stream == ISSUES]
        if loaded:
            self.bronze.replay(self.rng.choice(loaded), f"replay-{self.runs}")

    def extract_again(self) -> None:
        """An old window is asked for again, by choice: what has changed since is not in it any more."""
        loaded = [row for row in ledger(self.bronze) if row.stream == ISSUES]
        if loaded:
            row = self.rng.choice(loaded)
            planned = [{"batch_id": row.batch_id, "strategy": row.strategy}]
            before = self.expected[row.batch_id]
            self._extract(ISSUES, planned, f"again-{self.runs}", again=True)
            loaded, held = self.bronze.load(ISSUES, [row.batch_id], f"again-{self.runs}")
            shrinks = {id_ for id_, _ in before} - {id_ for id_, _ in self.expected[row.batch_id]}
            assert (len(loaded), len(held)) == ((0, 1) if shrinks else (1, 0))
            if held and self.rng.random() < 0.5:
                landing = self.bronze.landing
                landing.approve(landing.newest(Batch.parse(row.batch_id)))
                self.bronze.load(ISSUES, [row.batch_id], f"approved-{self.runs}")
            elif held:
                self.expected[row.batch_id] = before

    def _run(self) -> None:
        self.runs += 1
        run_id = f"night-{self.runs}"
        self._maybe_fault()
        plan = self.bronze.plan(FAR)
        try:
            for stream in SCHEDULED:
                landed = self._extract(stream, plan[stream], run_id)
                self.bronze.load(stream, landed, run_id)
        except SourceError:
            return  # the night failed; what it lacks is loaded by a later one
        finally:
            self.vendors.clear_faults()

    def _maybe_fault(self) -> None:
        kind = self.rng.choice(
            [
                "none",
                "none",
                "too_many",
                "status",
                "cut",
                "invalid_json",
                "reset",
                "glitch_page",
                "duplicate_rows",
                "forbid",
            ]
        )
        if kind != "none":
            system, endpoint = self.rng.choice(ENDPOINTS)
            times = self.rng.choice([1, 2, 50])
            after = self.rng.randrange(4)
            self.vendors.fault(system=system, endpoint=endpoint, kind=kind, count=times, after=after, seconds=0)

    def _extract(self, stream: str, planned: list[dict[str, str]], run_id: str, *, again: bool = False) -> list[str]:
        landed = self.bronze.extract(stream, planned, run_id, again=again)
        self.vendors.clear_faults()
        for batch_id in landed:
            manifest = self.bronze.landing.newest(Batch.parse(batch_id))
            asked = Window(manifest.asked_from, manifest.asked_to)
            if stream == ISSUES:
                self.expected[batch_id] = self.vendors.issues_changed_in(asked)
            elif stream == MESSAGES:
                parents = [scope.scope for scope in manifest.coverage]
                self.expected[batch_id] = Counter(
                    (parent, message) for parent in parents for message in self.vendors.messages(parent) or []
                )
            elif stream == THREADS:
                self.expected[batch_id] = self.vendors.threads_changed_in(asked)
            elif stream == TIMELINES:
                parents = [scope.scope for scope in manifest.coverage]
                self.expected[batch_id] = Counter(
                    (parent, entry) for parent in parents for entry in self.vendors.timeline(parent) or []
                )
        return landed


@pytest.mark.parametrize("seed", SCHEDULES)
def test_after_any_schedule_bronze_holds_what_was_visible_and_every_cell_is_covered(
    seed: int, vendors: Vendors, bronze: Bronze
) -> None:
    schedule = Schedule(seed, vendors, bronze)
    for _ in range(8):
        schedule.step()
    vendors.clear_faults()
    schedule.runs += 1
    plan = bronze.plan(FAR)
    for stream in SCHEDULED:
        landed = schedule._extract(stream, plan[stream], "the last run")
        bronze.load(stream, landed, "the last run")

    left = bronze.plan(FAR)
    assert {name: left[name] for name in SCHEDULED if left[name]} == {}
    assert verify(bronze) == []
    with bronze.warehouse() as warehouse:
        loaded = warehouse.ledger()
    for row in loaded:
        if row.stream == ISSUES:
            assert set(issues_in(bronze, row.batch_id)) == set(schedule.expected[row.batch_id]), row.batch_id
        elif row.stream == MESSAGES:
            assert set(messages_in(bronze, row.batch_id)) == set(schedule.expected[row.batch_id]), row.batch_id
        elif row.stream == THREADS:
            assert set(threads_in(bronze, row.batch_id)) >= set(schedule.expected[row.batch_id]), row.batch_id
        elif row.stream == TIMELINES:
            assert set(entries_in(bronze, row.batch_id)) == set(schedule.expected[row.batch_id]), row.batch_id
    for table in SCHEDULED:
        empty = " or ".join(f"{column} is null or {column} = ''" for column in METADATA_COLUMNS)
        assert query(bronze, f"select count(*) from bronze.{table} where {empty}") == [(0,)]

    tables = {table: query(bronze, f"select * from bronze.{table} order by all") for table in SCHEDULED}
    expire(bronze, timedelta(0))
    assert [one.reason for one in expired(bronze, timedelta(0))] == []
    assert verify(bronze) == []
    for row in loaded:
        assert bronze.replay(row.batch_id, "after retention")[1] == []
    assert {table: query(bronze, f"select * from bronze.{table} order by all") for table in SCHEDULED} == tables


def test_without_a_fault_each_delivery_is_one_row(vendors: Vendors, bronze: Bronze) -> None:
    plan = bronze.plan(FAR)
    schedule = Schedule(0, vendors, bronze)
    for stream in (ISSUES, MESSAGES):
        bronze.load(stream, schedule._extract(stream, plan[stream], "r"), "r")
    with bronze.warehouse() as warehouse:
        batches = {row.batch_id: row for row in warehouse.ledger()}
    assert {id_: issues_in(bronze, id_) for id_, row in batches.items() if row.stream == ISSUES} == {
        id_: expected for id_, expected in schedule.expected.items() if batches[id_].stream == ISSUES
    }
    assert {id_: messages_in(bronze, id_) for id_, row in batches.items() if row.stream == MESSAGES} == {
        id_: expected for id_, expected in schedule.expected.items() if batches[id_].stream == MESSAGES
    }
    assert sum(row.rows for row in batches.values()) > 0


FAULTS = [
    ("too_many", {"seconds": 0}),
    ("status", {"status": 500}),
    ("status", {"status": 503}),
    ("cut", {}),
    ("invalid_json", {}),
    ("reset", {}),
    ("glitch_page", {}),
    ("stuck_cursor", {}),
    ("expired_cursor", {}),
    ("duplicate_rows", {}),
    ("slow", {"seconds": 0.05}),
    ("forbid", {}),
    ("revoke", {}),
]
# Those for which asking again is no help. Not here: a world that moves on, and rows that a page lacks unseen.
FINAL = ("forbid", "revoke", "stuck_cursor", "expired_cursor")


@pytest.mark.parametrize(("system", "endpoint"), [ENDPOINTS[0], ENDPOINTS[2], ENDPOINTS[3]])
@pytest.mark.parametrize("times", [1, -1], ids=["once", "always"])
@pytest.mark.parametrize(
    ("kind", "more"), FAULTS, ids=[f"{kind}-{more.get('status', '')}".rstrip("-") for kind, more in FAULTS]
)
def test_a_fault_ends_in_a_whole_batch_or_in_a_cause_and_never_in_a_part(
    kind: str,
    more: dict[str, Any],
    times: int,
    system: str,
    endpoint: str,
    vendors: Vendors,
    bronze: Bronze,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("faults", 1)
    landed = landed_in_spite_of([{"kind": kind, "count": times, "after": 1, **more}], system, endpoint, vendors, bronze)
    # Plain's limit is over when its minute is, which is longer than this test has patience for.
    outlasts_patience = kind == "too_many" and system == "plain"
    assert landed or times == -1 or outlasts_patience or kind in FINAL


def landed_in_spite_of(
    faults: list[dict[str, Any]], system: str, endpoint: str, vendors: Vendors, bronze: Bronze
) -> list[str]:
    """The batches of a stream that land although something goes wrong, none of them in part."""
    stream = {"POST /issues/search": ISSUES, "GET /accounts": ACCOUNTS, "threads": THREADS}[endpoint]
    planned = bronze.plan(FAR)[stream]
    for fault in faults:
        vendors.fault(system=system, endpoint=endpoint, **fault)
    try:
        landed = bronze.extract(stream, planned, "r")
    except SourceError:
        landed = []
    vendors.clear_faults()
    for batch_id in landed:
        manifest = bronze.landing.newest(Batch.parse(batch_id))
        if stream == ISSUES:
            wanted = set(vendors.issues_changed_in(Window(manifest.asked_from, manifest.asked_to)))
            versions = bronze.landing.versions(manifest, "UPDATED_AT")
            assert {(key, str(at)) for key, at in versions.items()} == wanted
        elif stream == THREADS:
            wanted_ids = {id_ for id_, _ in vendors.threads_changed_in(Window(manifest.asked_from, manifest.asked_to))}
            assert set(bronze.landing.keys(manifest)) >= wanted_ids
        else:
            assert set(bronze.landing.keys(manifest)) == {row["id"] for row in vendors.get("/accounts").json()["data"]}
    return landed


# One of each class: a server's error, a broken body, a page that is not one, a refusal.
CLASSES: dict[str, dict[str, Any]] = {
    "status": {"kind": "status", "status": 503},
    "body": {"kind": "cut"},
    "paging": {"kind": "glitch_page"},
    "auth": {"kind": "forbid"},
}


@pytest.mark.parametrize(("system", "endpoint"), [ENDPOINTS[0], ENDPOINTS[2], ENDPOINTS[3]])
@pytest.mark.parametrize(("first", "second"), list(combinations(CLASSES, 2)), ids="-then-".join)
def test_two_faults_end_as_one_does(
    first: str,
    second: str,
    system: str,
    endpoint: str,
    vendors: Vendors,
    bronze: Bronze,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("faults", 1)
    faults = [CLASSES[first], {**CLASSES[second], "after": 1}]
    landed = landed_in_spite_of(faults, system, endpoint, vendors, bronze)
    assert bool(landed) == ("auth" not in (first, second))


def test_a_change_in_the_middle_of_a_scan_is_not_lost(vendors: Vendors, bronze: Bronze) -> None:
    """While pages are read, hours pass in the world: a ticket touched meanwhile leaves the window that is being read."""
    for night in range(4):
        vendors.fault(system="pylon", endpoint="POST /issues/search", kind="mutate", count=3, seconds=4 * 3600)
        run_night(bronze, f"n{night}", (ISSUES,))
        vendors.clear_faults()
        vendors.advance(NIGHT)
    run_night(bronze, "last", (ISSUES,))
    with bronze.warehouse() as warehouse:
        covered_to = max(window.end for window in warehouse.completed(ISSUES))
    versions = set(query(bronze, "select id, updated_at from bronze.pylon_issues"))
    now = {(i["id"], i["updated_at"]) for i in vendors.issues() if datetime.fromisoformat(i["updated_at"]) < covered_to}
    assert now - versions == set()
    assert now


END = FIRST_NIGHT + 60 * NIGHT


def deletions(vendors: Vendors, kind: str) -> list[dict[str, Any]]:
    """What is deleted in two months from the first night, by the world's own account, oldest first."""
    vendors.set_clock(END)
    listed = vendors.truth("deletions")
    vendors.set_clock(FIRST_NIGHT)
    found = [row for row in listed if row["system"] == "pylon" and row["object"] == kind and _at(row) > FIRST_NIGHT]
    assert found, f"the tiny world deletes no {kind} in these months"
    return sorted(found, key=_at)


def _at(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["at"]).replace(microsecond=0)


def ledger(bronze: Bronze) -> list[LedgerRow]:
    with bronze.warehouse() as warehouse:
        return warehouse.ledger()


def coverage(bronze: Bronze, stream: str, scope: str) -> list[tuple[Any, ...]]:
    return query(
        bronze,
        f"select outcome, row_count from bronze.ingest_coverage where stream = '{stream}' and scope = '{scope}' "
        "order by observed_at",
    )


def everything(bronze: Bronze, stream: str, until: datetime, run_id: str) -> list[str]:
    """Extract one long window of a stream that is not on the grid, and load it."""
    batch = Batch("def", stream, Window(FIRST_NIGHT - 20 * NIGHT, until))
    landed = bronze.extract(stream, [{"batch_id": batch.id, "strategy": "incremental"}], run_id)
    bronze.load(stream, landed, run_id)
    return landed


SECOND = timedelta(seconds=1)


def test_a_ticket_that_is_gone_before_its_messages_are_read_is_recorded_as_gone(
    vendors: Vendors, bronze: Bronze
) -> None:
    gone = deletions(vendors, "issue")[0]
    vendors.set_clock(_at(gone) - SECOND)
    everything(bronze, ISSUES, _at(gone), "r")
    vendors.set_clock(_at(gone) + 2 * SECOND)
    everything(bronze, MESSAGES, _at(gone), "r")
    assert coverage(bronze, MESSAGES, gone["id"]) == [("gone", 0)]
    assert vendors.get(f"/issues/{gone['id']}").status_code == 404


def test_a_message_that_vanished_is_missing_under_a_parent_that_was_asked(vendors: Vendors, bronze: Bronze) -> None:
    removed = deletions(vendors, "message")[0]
    for run, at in enumerate((_at(removed) - SECOND, _at(removed) + 2 * SECOND)):
        vendors.set_clock(at)
        everything(bronze, ISSUES, at, f"r{run}")
        everything(bronze, MESSAGES, at, f"r{run}")
    (first, before), (second, after) = coverage(bronze, MESSAGES, removed["parent_id"])
    assert (first, second) == ("complete", "complete")
    assert after == before - 1
    deliveries = query(bronze, f"select count(*) from bronze.pylon_messages where id = '{removed['id']}'")
    assert deliveries == [(1,)]


def test_a_clock_that_is_set_back_in_the_middle_of_a_scan_makes_no_row_older_than_the_look(
    vendors: Vendors, bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, set_back = Settings.reading_clock, count()
    monkeypatch.setattr(Settings, "reading_clock", lambda read: true(read) - next(set_back) * timedelta(minutes=5))
    for stream, scope in ((ACCOUNTS, "'*'"), (ISSUES, None), (MESSAGES, "parent_key")):
        everything(bronze, stream, FIRST_NIGHT, "r")
        if scope:
            read = query(
                bronze,
                "select observed_at, cast(date_to_warehouse as timestamp) from bronze.ingest_coverage as looked "
                f"join bronze.{stream} as delivered on looked.stream = '{stream}' and looked.scope = {scope}",
            )
            assert read
            assert [pair for pair in read if pair[0] >= pair[1]] == []


def test_a_set_that_was_emptied_is_covered_with_no_rows(vendors: Vendors, bronze: Bronze) -> None:
    parents = {row["parent_id"]: _at(row) for row in deletions(vendors, "message")}
    vendors.set_clock(END)
    emptied = next(parent for parent in parents if vendors.messages(parent) == [])
    everything(bronze, ISSUES, END, "r")
    everything(bronze, MESSAGES, END, "r")
    assert coverage(bronze, MESSAGES, emptied) == [("complete", 0)]


def test_a_message_that_moved_to_another_ticket_is_delivered_under_its_new_parent(
    vendors: Vendors, bronze: Bronze
) -> None:
    merged = next(row for row in deletions(vendors, "issue") if row["how"] == "merged")
    for run, at in enumerate((_at(merged) - SECOND, _at(merged) + 2 * SECOND)):
        vendors.set_clock(at)
        everything(bronze, ISSUES, at, f"r{run}")
        everything(bronze, MESSAGES, at, f"r{run}")
    parents = query(
        bronze,
        f"""
        select count(distinct parent_key), bool_or(parent_key <> '{merged["id"]}') from bronze.pylon_messages
        where id in (select id from bronze.pylon_messages where parent_key = '{merged["id"]}')
        group by id
        """,
    )
    assert parents
    assert all(row == (2, True) for row in parents)


def test_a_hard_delete_is_found_by_the_weekly_listing_and_confirmed_one_by_one(
    vendors: Vendors, bronze: Bronze
) -> None:
    gone = {row["id"] for row in deletions(vendors, "issue")}
    for nights in range(5, 60, 5):
        vendors.set_clock(FIRST_NIGHT + nights * NIGHT)
        run_night(bronze, f"night {nights}", (ISSUES, MESSAGES))
    known = {str(key) for (key,) in query(bronze, "select distinct record_key from bronze.pylon_issues")}
    vendors.set_clock(END)
    lost = {id_ for id_ in gone & known if vendors.messages(id_) is None}
    assert lost

    landed = bronze.extract("pylon_issue_ids", bronze.plan(FAR, cadence=Cadence.WEEKLY)["pylon_issue_ids"], "weekly")
    bronze.load("pylon_issue_ids", landed, "weekly")
    confirmed = bronze.confirm_deletions("pylon_issue_ids", "weekly")
    assert confirmed is not None
    bronze.load(ISSUES, [confirmed], "weekly")

    found = query(bronze, "select scope from bronze.ingest_coverage where stream = 'pylon_issues' and outcome = 'gone'")
    assert {str(scope) for (scope,) in found} == lost
    children = query(
        bronze, "select scope from bronze.ingest_coverage where stream = 'pylon_messages' and outcome = 'gone'"
    )
    assert {str(scope) for (scope,) in children} >= lost
    assert {items for items in bronze.plan(FAR) if items == ISSUES} == {ISSUES}
    assert bronze.confirm_deletions("pylon_issue_ids", "again") is None


def test_a_ticket_created_while_ids_are_listed_is_not_taken_for_deleted(vendors: Vendors, bronze: Bronze) -> None:
    run_night(bronze, "night", (ISSUES,))
    vendors.fault(system="pylon", endpoint="POST /issues/search", kind="mutate", count=4, seconds=24 * 3600)
    landed = bronze.extract("pylon_issue_ids", bronze.plan(FAR, cadence=Cadence.WEEKLY)["pylon_issue_ids"], "weekly")
    bronze.load("pylon_issue_ids", landed, "weekly")
    vendors.clear_faults()
    confirmed = bronze.confirm_deletions("pylon_issue_ids", "weekly")
    if confirmed is not None:
        bronze.load(ISSUES, [confirmed], "weekly")
    found = query(bronze, "select scope from bronze.ingest_coverage where stream = 'pylon_issues' and outcome = 'gone'")
    assert all(vendors.get(f"/issues/{scope}").status_code == 404 for (scope,) in found)
    delivered = {str(key) for (key,) in query(bronze, "select distinct record_key from bronze.pylon_issues")}
    listed = {str(key) for (key,) in query(bronze, "select record_key from bronze.pylon_issue_ids")}
    assert listed <= delivered


def test_a_scan_of_parents_goes_on_after_the_last_that_was_read_whole(
    vendors: Vendors, bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "PART_PARENTS", 3)
    vendors.set_clock(END)
    everything(bronze, ISSUES, END, "r")
    batch = Batch("def", MESSAGES, Window(FIRST_NIGHT - 20 * NIGHT, END))
    planned = [{"batch_id": batch.id, "strategy": "incremental"}]
    vendors.fault(system="pylon", endpoint="GET /issues/{id}/messages", kind="status", count=-1, after=7)
    with pytest.raises(SourceError):
        bronze.extract(MESSAGES, planned, "cut off")
    vendors.clear_faults()
    vendors.forget_requests()
    bronze.extract(MESSAGES, planned, "resumed")
    manifest = bronze.landing.newest(batch)
    parents = bronze._parents(bronze.client.stream(MESSAGES), batch.window)
    assert parents is not None
    assert [scope.scope for scope in manifest.coverage] == parents
    asked = [r["path"] for r in vendors.requests() if r["path"].endswith("/messages")]
    assert len(asked) == len(parents) - 6
    bronze.load(MESSAGES, [batch.id], "resumed")
    expected = Counter((parent, id_) for parent in parents for id_ in vendors.messages(parent) or [])
    assert messages_in(bronze, batch.id) == expected


def test_a_scan_that_goes_on_keeps_the_new_fields_of_its_first_parts(
    vendors: Vendors, bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "PART_PARENTS", 3)
    vendors.set_clock(END)
    everything(bronze, ISSUES, END, "r")
    batch = Batch("def", MESSAGES, Window(FIRST_NIGHT - 20 * NIGHT, END))
    planned = [{"batch_id": batch.id, "strategy": "incremental"}]
    vendors.change_settings(pylon={"drift": True})
    vendors.fault(system="pylon", endpoint="GET /issues/{id}/messages", kind="status", count=-1, after=7)
    try:
        with pytest.raises(SourceError):
            bronze.extract(MESSAGES, planned, "cut off")
    finally:
        vendors.change_settings(pylon={"drift": False})
        vendors.clear_faults()
    bronze.extract(MESSAGES, planned, "resumed")
    assert "SIM_FUTURE_FIELD" in bronze.landing.newest(batch).columns
    bronze.load(MESSAGES, [batch.id], "resumed")
    kept = query(bronze, "select distinct sim_future_field from bronze.pylon_messages order by all")
    assert kept == [("new",), (None,)]
    assert verify(bronze) == []


def test_what_was_tried_is_in_the_ledger_with_the_reason_it_failed_for(vendors: Vendors, bronze: Bronze) -> None:
    planned = bronze.plan(FAR)[ISSUES][:1]
    batch = Batch.parse(planned[0]["batch_id"])
    cut_off = bronze.landing.new_attempt(batch, vendors.now - NIGHT)
    began = Attempt(ISSUES, batch.id, cut_off[-27:], Outcome.RUNNING, vendors.now - NIGHT, "killed")
    bronze.landing.note(cut_off, began)
    vendors.fault(system="pylon", endpoint="POST /issues/search", kind="status", status=503, count=-1)
    with pytest.raises(SourceError):
        bronze.extract(ISSUES, planned, "failed")
    vendors.clear_faults()
    bronze.load(ISSUES, bronze.extract(ISSUES, planned, "complete"), "complete")
    for _ in range(2):  # a run that is cleared records the same again
        bronze.record_attempts([batch.id])
    found = query(
        bronze,
        "select pipeline_run_id, outcome, row_count > 0, ended_at is not null, error from bronze.ingest_attempts "
        "order by started_at",
    )
    assert [row[:4] for row in found] == [
        ("killed", "cut_off", False, False),
        ("failed", "failed", False, True),
        ("complete", "complete", True, True),
    ]
    assert "HTTP 503" in str(found[1][4])
    assert (found[0][4], found[2][4]) == (None, None)


def test_a_window_read_again_is_held_back_if_it_would_lose_records_and_applied_on_request(
    vendors: Vendors, bronze: Bronze
) -> None:
    run_night(bronze, "night", (ISSUES, MESSAGES))
    before = {row.batch_id: issues_in(bronze, row.batch_id) for row in ledger(bronze) if row.stream == ISSUES}
    vendors.set_clock(END)
    held = {}
    for batch_id, rows in before.items():
        bronze.extract_again(batch_id, "again")
        loaded, waiting = bronze.load(ISSUES, [batch_id], "again")
        delivered = set(bronze.landing.keys(bronze.landing.newest(Batch.parse(batch_id))))
        if {id_ for id_, _ in rows} <= delivered:
            assert [one.batch_id for one in loaded] == [batch_id]
            continue
        held[batch_id] = delivered
        (one,) = waiting
        lost = len({id_ for id_, _ in rows} - delivered)
        assert f"lacks {lost} of the {len({id_ for id_, _ in rows})} records" in one.reason
        assert issues_in(bronze, batch_id) == rows
    assert held, "two months later no window of the first night had lost a record"
    batch_id, delivered = held.popitem()
    assert bronze.replay(batch_id, "replayed")[1] == []
    assert issues_in(bronze, batch_id) == before[batch_id]
    bronze.landing.approve(bronze.landing.newest(Batch.parse(batch_id)))
    bronze.load(ISSUES, [batch_id], "approved")
    assert {id_ for id_, _ in issues_in(bronze, batch_id)} == delivered
    assert verify(bronze) == []


def test_children_read_again_of_fewer_parents_are_held_back(vendors: Vendors, bronze: Bronze) -> None:
    run_night(bronze, "night", (ISSUES, MESSAGES))
    (batch_id, parents) = query(
        bronze,
        "select batch_id, count(*) from bronze.ingest_coverage where stream = 'pylon_messages' group by 1 "
        "order by 2 desc limit 1",
    )[0]
    batch = Batch.parse(str(batch_id))
    first = bronze.landing.newest(batch)
    fewer = [scope.scope for scope in first.coverage][1:]
    stream = bronze.client.stream(MESSAGES)
    extraction = bronze._extraction(stream, "again", print)
    extraction.extract(PlannedBatch(batch, LoadStrategy.INCREMENTAL), fewer)
    before = messages_in(bronze, batch.id)
    _, (held,) = bronze.load(MESSAGES, [batch.id], "again")
    assert f"lacks 1 of the {parents} parents" in held.reason
    assert messages_in(bronze, batch.id) == before


def test_children_wait_for_their_parents(vendors: Vendors, bronze: Bronze) -> None:
    with pytest.raises(SourceError, match=r"pylon_messages .* landed only up to .*; extract pylon_issues first"):
        bronze.extract(MESSAGES, bronze.plan(FAR)[MESSAGES], "r")


def test_every_stream_of_a_client_is_loaded_and_verified(vendors: Vendors, bronze: Bronze) -> None:
    vendors.set_clock(END)
    (bronze.settings.data_dir / "drop").symlink_to(vendors.data_dir / "drop")
    bronze.preflight()
    plan = bronze.plan(FAR)
    landed = bronze.extract_each(plan, "n")
    loaded = bronze.load_each(plan, "n")
    assert {name: [one.batch_id for one in done] for name, (done, _) in loaded.items()} == landed
    with bronze.warehouse() as warehouse:
        rows = Counter({row.stream: 0 for row in warehouse.ledger()})
        for row in warehouse.ledger():
            rows[row.stream] += row.rows
    nightly = {s.name for s in bronze.client.streams if s.spec.cadence is Cadence.NIGHTLY}
    assert set(rows) == nightly
    assert [name for name in nightly if not rows[name]] == []
    assert verify(bronze) == []
    vendors.forget_requests()
    again = bronze.plan(FAR)
    assert {name: items for name, items in again.items() if items} == {}


def test_a_stream_that_fails_stops_no_other(vendors: Vendors, bronze: Bronze) -> None:
    plan = {name: items for name, items in bronze.plan(FAR).items() if name in SCHEDULED}
    vendors.fault(system="plain", endpoint="threads", kind="status", count=-1)
    vendors.fault(system="pylon", endpoint="GET /accounts", kind="forbid", count=-1)
    with pytest.raises(UnansweredError):  # and not the refusal: this one may pass
        bronze.extract_each(plan, "n")
    loaded = {name: [one.batch_id for one in done] for name, (done, _) in bronze.load_each(plan, "n").items()}
    failed = {ACCOUNTS, THREADS, TIMELINES}
    assert loaded == {name: [] if name in failed else [item["batch_id"] for item in plan[name]] for name in plan}
    vendors.clear_faults()
    bronze.extract_each(plan, "n")  # a retry reads what is missing, and loads whatever is landed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bronze.landing.__class__, "fetch", _no_part_of(THREADS, bronze.landing.__class__.fetch))
        with pytest.raises(WarehouseError, match="the disk of plain_threads"):
            bronze.load_each(plan, "n")
    assert {row.stream for row in ledger(bronze)} == set(SCHEDULED) - {THREADS}
    bronze.load_each(plan, "n")
    assert {row.batch_id for row in ledger(bronze)} == {item["batch_id"] for items in plan.values() for item in items}
    assert verify(bronze) == []


def _no_part_of(stream: str, fetch: Any) -> Any:
    def refuse(landing: Any, part: Any, into: str) -> Any:
        if f"/{stream}/" in part.path:
            raise WarehouseError(f"the disk of {stream} is full")
        return fetch(landing, part, into)

    return refuse


def test_a_run_is_verified_by_its_own_batches(vendors: Vendors, bronze: Bronze) -> None:
    run_night(bronze, "one", (ACCOUNTS,))
    vendors.advance(NIGHT)
    run_night(bronze, "two", (ACCOUNTS,))
    first, second = (Batch.parse(row.batch_id) for row in sorted(ledger(bronze), key=lambda row: row.batch_id))
    with duckdb.connect(str(bronze.settings.database_file("def"))) as connection:
        connection.execute(f"delete from bronze.pylon_accounts where batch_id = '{first.id}'")
    assert verify(bronze, [second]) == []
    assert verify(bronze, []) == []
    (fault,) = verify(bronze, [first, second])
    assert fault.startswith(f"{first.id}: the ledger says ")
    assert verify(bronze) == [fault]


def test_a_missing_permission_is_named_before_anything_is_loaded(vendors: Vendors, bronze: Bronze) -> None:
    all_permissions = vendors.settings()["plain"]["permissions"]
    fewer = [permission for permission in all_permissions if permission != "timeline:read"]
    vendors.change_settings(plain={"permissions": fewer})
    try:
        with pytest.raises(RefusedError, match="the Plain key lacks timeline:read; add them to the key"):
            bronze.preflight()
    finally:
        vendors.change_settings(plain={"permissions": all_permissions})


def test_a_corrected_file_is_loaded_again_and_a_late_one_when_it_comes(vendors: Vendors, bronze: Bronze) -> None:
    drop = bronze.settings.data_dir / "drop" / "qa_reviews"
    drop.mkdir(parents=True)
    (drop / "qa_reviews_2025-12-13.ndjson").write_text('{"review_id": "a", "score": 1}\n')
    planned = bronze.plan(FAR)["qa_reviews"]
    assert [item["batch_id"] for item in planned] == ["def__qa_reviews__20251213T060000Z__20251214T060000Z"]
    bronze.load("qa_reviews", bronze.extract("qa_reviews", planned, "n1"), "n1")
    assert bronze_for(vendors, bronze.settings.data_dir).plan(FAR)["qa_reviews"] == []
    (drop / "qa_reviews_2025-12-13.ndjson").write_text('{"review_id": "a", "score": 2}\n')
    (drop / "qa_reviews_2025-12-12.ndjson").write_text('{"review_id": "b", "score": 3}\n')
    planned = bronze.plan(FAR)["qa_reviews"]
    assert len(planned) == 2
    bronze.load("qa_reviews", bronze.extract("qa_reviews", planned, "n2"), "n2")
    assert query(bronze, "select review_id, score from bronze.qa_reviews order by all") == [("a", "2"), ("b", "3")]
    assert verify(bronze) == []


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("qa_reviews_2025-12-13.ndjson", '{"review_id": ', "cannot be read: .*; drop it again"),
        ("qa_reviews_2025-12-13.csv", "review_id,score\na,1,2\n", "line 2 has another number of columns"),
        ("qa_reviews_2025-12-13.parquet", "no parquet", "cannot be read: .*; drop it again"),
    ],
)
def test_a_broken_file_is_named(name: str, content: str, cause: str, vendors: Vendors, bronze: Bronze) -> None:
    drop = bronze.settings.data_dir / "drop" / "qa_reviews"
    drop.mkdir(parents=True)
    (drop / name).write_text(content)
    with pytest.raises(SourceError, match=f"{name}.*{cause}"):
        bronze.extract("qa_reviews", bronze.plan(FAR)["qa_reviews"], "n")
