"""Silver is a pure function of Bronze and its ledger: whatever happened, an increment leaves what a rebuild would."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.bronze.streams import column_name
from tests.dbt.bronze import (
    STREAMS,
    Bronze,
    Look,
    Row,
    account,
    at,
    deletion,
    issue,
    message,
    note,
    thread,
)
from tests.dbt.oracle import Kept, current_records, distinct_records, lost_values
from tests.dbt.silver import Script, Silver

pytestmark = pytest.mark.integration  # the recording is made by real dbt

MEMORY = Path("/dev/shm")
EXAMPLES = int(os.environ.get("SUPPORT_EXAMPLES", "16"))  # a campaign asks for hundreds


@dataclass(frozen=True)
class Seen:
    """A record as some reply held it. Small numbers, so that the same ones come up again."""

    key: int
    version: int | None = 0
    content: int = 0
    read: int = 0
    page: int = 1
    volatile: int = 0
    parent: int = 0


@dataclass(frozen=True)
class Subject:
    """A Silver model: its stream, how a sighting becomes a record, and what a look is at, mostly what it may be at."""

    stream: str
    record: Callable[[Seen], dict[str, Any]]
    scopes: tuple[str, str, str, str]
    keeps: str = "records"  # or history, or failures


def _issue(seen: Seen) -> dict[str, Any]:
    stamp = {"updated_at": "not a time"} if seen.version is None else {}
    return issue(
        f"k{seen.key}", at(seen.version or 0), title=f"{seen.content}", active_time_seconds=f"{seen.volatile}", **stamp
    )


def _broken_issue(seen: Seen) -> dict[str, Any]:
    return _issue(seen) | {"title": ("∅", " ")[seen.content]}


def _account(seen: Seen) -> dict[str, Any]:
    stamp = {"updated_at": "not a time"} if seen.version is None else {}
    return account(f"k{seen.key}", at(seen.version or 0), name=f"{seen.content}", logo_url=f"{seen.volatile}", **stamp)


def _note(seen: Seen) -> dict[str, Any]:
    stamp = {"updated_at": "not a time"} if seen.version is None else {}
    return note(f"k{seen.key}", at(seen.version or 0), title=f"{seen.content}", seen_count=f"{seen.volatile}", **stamp)


def _message(seen: Seen) -> dict[str, Any]:
    return message(f"k{seen.key}", message_html=f"{seen.content}", email_info={"opens": seen.volatile})


def _thread(seen: Seen) -> dict[str, Any]:
    stamp = {"updatedAt": {"iso8601": "not a time"}} if seen.version is None else {}
    return thread(f"k{seen.key}", at(seen.version or 0), title=f"{seen.content}", **stamp)


def _deletion(seen: Seen) -> dict[str, Any]:
    return deletion(f"k{seen.key}", at(seen.content))


SUBJECTS = {
    "def_pylon_issues": Subject("pylon_issues", _issue, ("k0", "k0", "k1", "*")),
    "def_pylon_issues_versions": Subject("pylon_issues", _issue, ("k0", "k0", "k1", "*"), "history"),
    "def_pylon_accounts": Subject("pylon_accounts", _account, ("*", "*", "*", "k0")),
    "def_pylon_notes": Subject("pylon_notes", _note, ("p0", "p0", "p1", "k0")),
    "def_pylon_messages": Subject("pylon_messages", _message, ("p0", "p0", "p1", "k0")),
    "def_plain_threads": Subject("plain_threads", _thread, ("k0", "k0", "k1", "*")),
    "def_plain_deleted_threads": Subject("plain_deleted_threads", _deletion, ("k0", "k0", "k1", "*"), "history"),
    "def_cast_failures": Subject("pylon_issues", _broken_issue, ("k0", "k0", "k1", "*"), "failures"),
}


@dataclass(frozen=True)
class Load:
    """A batch and what it holds now."""

    batch: int
    seen: tuple[Seen, ...] = ()
    looks: tuple[tuple[int | str, int, str], ...] = ()
    attempt: int = 0


@dataclass(frozen=True)
class Drop:
    """A batch that leaves Bronze and the ledger."""

    batch: int


@dataclass(frozen=True)
class Replay:
    """A batch that is loaded again as it is."""

    batch: int


@dataclass(frozen=True)
class Redelivery:
    """Every record there is, read again at once and delivered as one batch."""

    batch: int
    read: int = 5


@dataclass(frozen=True)
class Run:
    """One run of the model."""

    kind: str = "build"
    after: int = 0
    meanwhile: Load | None = None


Step = Load | Drop | Replay | Redelivery | Run

# Few keys, stamps and contents, and several batches before the first run: what goes wrong goes wrong where records meet.
seen = st.builds(
    Seen,
    key=st.sampled_from([0, 0, 0, 0, 1]),
    version=st.sampled_from([0, 0, 0, 0, 1, None]),
    content=st.integers(0, 1),
    read=st.integers(0, 5),
    page=st.sampled_from([1, 1, 2]),
    volatile=st.integers(0, 1),
    parent=st.integers(0, 1),
)
looks = st.tuples(st.integers(0, 3), st.integers(0, 7), st.sampled_from(["complete", "complete", "gone"]))
loads = st.builds(
    Load,
    batch=st.integers(0, 3),
    seen=st.lists(seen, max_size=2).map(tuple),
    looks=st.lists(looks, max_size=1).map(tuple),
    attempt=st.integers(0, 1),
)
drops = st.builds(Drop, st.integers(0, 3))
crashes = st.builds(Run, st.just("crash"), st.integers(1, 9))
meetings = st.builds(Run, st.just("meanwhile"), st.integers(1, 9), loads)
again = st.one_of(st.builds(Replay, st.integers(0, 3)), st.builds(Redelivery, st.integers(0, 3), st.integers(0, 5)))
one_change = st.one_of(loads, loads, drops, drops, again, st.just(Run()), st.just(Run("refresh"))).map(
    lambda step: [step]
)
# A run that goes wrong is worth most right after something was loaded.
trouble = st.tuples(loads, st.one_of(crashes, meetings)).map(list)
changes = st.one_of(one_change, one_change, trouble)


# Before the first run several batches are loaded, so that what is then taken away was there: anything, or one record whose
# content goes back and forth from batch to batch, or one that a later batch looked for in vain.
anything = st.lists(st.tuples(st.lists(seen, max_size=2), st.lists(looks, max_size=1)), min_size=2, max_size=4).map(
    lambda batches: [Load(number, tuple(rows), tuple(seen)) for number, (rows, seen) in enumerate(batches)]
)
back_and_forth = st.integers(2, 4).map(
    lambda count: [Load(number, (Seen(0, content=number % 2, read=number),)) for number in range(count)]
)
in_vain = st.sampled_from(["complete", "gone"]).map(
    lambda outcome: [Load(0, (Seen(0),)), Load(1, looks=((0, 3, outcome),)), Load(2, (Seen(1),))]
)
sequences = st.builds(
    lambda before, after: [*before, Run(), *itertools.chain(*after)],
    st.one_of(anything, back_and_forth, in_vain),
    st.lists(changes, min_size=1, max_size=6),
)


class World:
    """One Bronze, one Silver over it, and the check between the two."""

    def __init__(self, script: Script, connection: duckdb.DuckDBPyConnection) -> None:
        self.subject = SUBJECTS.get(script.model, SUBJECTS["def_pylon_issues"])
        self.stream = self.subject.stream
        self.bronze = Bronze(connection)
        self.bronze.create()
        self.held: dict[int, Load] = {}
        self.landed: dict[tuple[int, int], list[Counter[Seen]]] = {}
        self.silver = Silver(script, connection)
        self.silver.create_bookkeeping()

    def play(self, steps: Sequence[Step]) -> None:
        for step in [*steps, Run()]:
            match step:
                case Load():
                    self.load(step)
                case Drop(batch):
                    self.bronze.drop(self.stream, f"b{batch}")
                    self.held.pop(batch, None)
                case Replay(batch):
                    self.replay(batch)
                case Redelivery(batch, read):
                    everything = {
                        (row.key, row.version, row.content): row for each in self.held.values() for row in each.seen
                    }
                    self.load(Load(batch, tuple(replace(row, read=read, page=1) for row in everything.values())))
                case Run("refresh"):
                    self.silver.refresh()
                    self.check()
                case Run("crash", after) if self.silver.is_built:
                    self.silver.crash(after)
                case Run("meanwhile", after, Load() as load) if self.silver.is_built:
                    self.silver.build_while(lambda load=load: self.load(load), after)  # type: ignore[misc]
                case Run():
                    self.build()
                    self.check()

    def replay(self, batch: int) -> None:
        """Load a batch again as it is: the ledger has another load, and Silver has nothing to write."""
        if batch not in self.held:
            return
        if self.silver.is_built:
            self.build()
        self.load(self.held[batch])
        if self.silver.is_built and self.subject.keeps != "failures":
            assert self.silver.build() == 0

    def build(self) -> None:
        before = self.silver.rows() if self.silver.is_built else {}
        written = self.silver.build()
        after = self.silver.rows()
        changed = [key for key, row in after.items() if before.get(key) != row]
        if self.subject.keeps == "failures":
            return  # what belongs to a changed batch is written anew
        assert not before or written == len(changed), f"{written} rows were written, but only {changed} changed"

    def check(self) -> None:
        held = self.silver.rows()
        assert held == self.silver.rebuilt()
        assert self.silver.applied_keys() == self.delivered_keys()
        if self.subject.keeps == "failures":
            names = ("SOURCE_FILE", "SOURCE_RECORD_KEY", "COLUMN_NAME", "RAW_SAMPLE")
            rows = [dict(row) for row in held.values()]
            listed = {tuple(row[name] for name in names): row["DATE_TO_WAREHOUSE"] for row in rows}
            assert (listed, len(listed)) == (lost_values(self.bronze), len(rows))
            return
        wanted = distinct_records if self.subject.keeps == "history" else current_records
        assert {key: self.kept(dict(row)) for key, row in held.items()} == wanted(self.bronze, self.stream)

    def delivered_keys(self) -> list[tuple[str, str]]:
        """What the bookkeeping may remember, and no more: each batch with the keys it holds now."""
        if self.subject.keeps == "failures":
            return []
        rows = f"select distinct BATCH_ID, RECORD_KEY from {self.bronze.table(self.stream)} order by all"
        return self.bronze.connection.execute(rows).fetchall()

    def kept(self, row: dict[str, Any]) -> Kept:
        if self.subject.keeps == "history":
            assert row["RECORD_KEY"] == f"{row['SOURCE_RECORD_KEY']}|{row['RECORD_HASH']}"
            where = (row["RECORD_HASH"], row["BATCH_ID"], row["SOURCE_FILE"], row["DATE_TO_WAREHOUSE"])
            return Kept(*where, (), None, None, None)
        assert row["IS_DELETED"] == (row["DELETED_AT"] is not None)
        names = sorted(column_name(name) for name in STREAMS[self.stream].volatile)
        volatile = tuple(None if row.get(name) is None else str(row[name]) for name in names)
        return Kept(
            row["RECORD_HASH"],
            row["BATCH_ID"],
            row["SOURCE_FILE"],
            row["DATE_TO_WAREHOUSE"],
            volatile,
            row.get("PARENT_KEY"),
            row["DELETED_AT"],
            row["DELETED_HOW"],
        )

    def load(self, load: Load) -> None:
        self.held[load.batch] = load
        self.bronze.load(
            self.stream,
            f"b{load.batch}",
            [self.row(each) for each in load.seen],
            [Look(self.scope(scope), at(minute), outcome) for scope, minute, outcome in load.looks],
            attempt=self.attempt(load),
        )

    def attempt(self, load: Load) -> str:
        """What an attempt has landed is never changed: other rows of a batch are those of another attempt."""
        landed = self.landed.setdefault((load.batch, load.attempt), [])
        rows = Counter(load.seen)
        if rows not in landed:
            landed.append(rows)
        return f"a{load.attempt}.{landed.index(rows)}"

    def scope(self, named: int | str) -> str:
        return named if isinstance(named, str) else self.subject.scopes[named]

    def row(self, seen: Seen) -> Row:
        parent = f"p{seen.parent}" if STREAMS[self.stream].parent else None
        return Row(self.subject.record(seen), at(seen.read), seen.page, parent)


@contextmanager
def world(script: Script) -> Iterator[World]:
    """A world in a file of its own, as dbt attaches it."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, duckdb.connect() as connection:
        file = Path(folder) / "DEF_DB_LOCAL.duckdb"
        connection.execute(f"set TimeZone = 'UTC'; set threads = 1; attach '{file}' as DEF_DB_LOCAL")
        yield World(script, connection)


@pytest.fixture(params=[name for name, subject in SUBJECTS.items() if subject.keeps != "failures"])
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=sequences)
def test_an_increment_leaves_what_a_rebuild_would_and_writes_only_what_changed(
    silver_scripts: dict[str, Script], model: str, steps: list[Step]
) -> None:
    with world(silver_scripts[model]) as each:
        each.play(steps)


@settings(
    max_examples=EXAMPLES // 3,  # its statements read every stream, and take five times as long
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=sequences)
def test_the_list_of_lost_values_is_what_a_rebuild_would_make_it(
    silver_scripts: dict[str, Script], steps: list[Step]
) -> None:
    with world(silver_scripts["def_cast_failures"]) as each:
        each.play(steps)


def x(read: int, **more: Any) -> Seen:
    return Seen(0, content=0, read=read, **more)


def y(read: int, **more: Any) -> Seen:
    return Seen(0, content=1, read=read, **more)


# Shrunk sequences that once told a wrong Silver from a right one, each for the streams it can happen to.
REGRESSIONS: dict[str, tuple[str, list[Step]]] = {
    "a version between two equal ones leaves, so the older of them is the first again": (
        "def_pylon_issues",
        [Load(0, (x(0),)), Load(1, (y(1),)), Load(2, (x(2),)), Run(), Load(1)],
    ),
    "the latest reading leaves, so a look before it counts again": (
        "def_pylon_issues",
        [Load(0, (x(0),)), Load(1, (x(5),)), Load(3, looks=(("k0", 3, "gone"),)), Run(), Drop(1)],
    ),
    "the only evidence of a deletion leaves": (
        "def_pylon_accounts",
        [Load(0, (x(0),), (("*", 0, "complete"),)), Load(1, (), (("*", 5, "complete"),)), Run(), Drop(1)],
    ),
    "a directory without the record arrives before an older one": (
        "def_pylon_accounts",
        [Load(0, (x(0),)), Load(2, (), (("*", 6, "complete"),)), Run(), Load(1, (), (("*", 3, "complete"),))],
    ),
    "the last row of a key leaves": ("def_pylon_issues", [Load(0, (x(0),)), Load(1, (Seen(1),)), Run(), Load(0)]),
    "the last batch leaves": ("def_pylon_issues", [Load(0, (x(0),)), Run(), Drop(0)]),
    **{
        f"a crash after statement {after}": (
            "def_pylon_issues",
            [Load(0, (x(0), Seen(1))), Run(), Load(1, (y(1),)), Load(0, (x(0),)), Run("crash", after)],
        )
        for after in range(1, 10)
    },
    **{
        f"a crash after statement {after}, and then the batch leaves": (
            "def_pylon_issues",
            [Load(0, (x(0),)), Run(), Load(1, (y(1),)), Run("crash", after), Drop(1)],
        )
        for after in range(1, 10)
    },
    **{
        f"a crash after statement {after}, and then the evidence leaves": (
            "def_pylon_notes",
            [Load(0, (x(0),)), Run(), Load(1, looks=(("p0", 1, "complete"),)), Run("crash", after), Drop(1)],
        )
        for after in range(1, 10)
    },
    "a load that comes in while the model builds": (
        "def_pylon_issues",
        [Load(0, (x(0),)), Run(), Load(1, (y(1),)), Run("meanwhile", 4, Load(1, (y(2), Seen(1))))],
    ),
    **{
        f"a batch that had left comes back after statement {after}, and leaves again": (
            "def_pylon_issues",
            [Load(0, (x(0),)), Run(), Drop(0), Run("meanwhile", after, Load(0, (x(0),))), Drop(0)],
        )
        for after in range(1, 10)
    },
    **{
        f"a batch that delivers a version between two equal ones is emptied after statement {after}": (
            "def_pylon_issues",
            [
                *(Load(0, (x(0),)), Load(2, (x(2),)), Run()),
                *(Load(1, (y(1),)), Run("meanwhile", after, Load(1))),
            ],
        )
        for after in range(1, 10)
    },
    "one record twice in a page, with another signature": (
        "def_pylon_accounts",
        [Load(0, (x(0, volatile=1), x(0, volatile=0))), Run(), Load(0, (x(0, volatile=0), x(0, volatile=1)))],
    ),
    "a batch that is asked for again has a record with another signature, and nothing else differs": (
        "def_pylon_issues",
        [Load(0, (x(0, volatile=0),)), Run(), Load(0, (x(0, volatile=1),))],
    ),
    "two contents in one page, in either order": (
        "def_pylon_issues",
        [Load(0, (x(0), y(0))), Load(1, (y(1), x(1))), Run(), Load(1), Run(), Load(0, (y(0), x(0)))],
    ),
    "a child moves to another parent with the same content": (
        "def_pylon_notes",
        [Load(0, (x(0, parent=0),)), Run(), Load(1, (x(2, parent=1),), (("p0", 3, "complete"),))],
    ),
    "a batch that is asked for again has a child under another parent, and nothing else differs": (
        "def_pylon_messages",
        [Load(0, (x(0, parent=0),)), Run(), Load(0, (x(0, parent=1),))],
    ),
    "a child stands in one page twice, under either parent": (
        "def_pylon_messages",
        [Load(0, (x(0, parent=0), x(0, parent=1))), Run(), Load(0, (x(0, parent=1), x(0, parent=0)))],
    ),
    "a parent is asked and the child is not there, then the parent is gone": (
        "def_pylon_notes",
        [
            Load(0, (x(0),)),
            Run(),
            Load(1, (), (("p0", 2, "complete"),)),
            Run(),
            Load(2, (), (("p0", 1, "gone"),)),
        ],
    ),
    "a message moves to another issue, then the whole set is emptied, then the issue is gone": (
        "def_pylon_messages",
        [
            Load(0, (x(0, parent=0), Seen(1, read=0)), (("p0", 0, "complete"),)),
            Run(),
            Load(1, (x(2, parent=1),), (("p0", 3, "complete"), ("p1", 1, "complete"))),
            Run(),
            Load(2, (), (("p1", 4, "complete"),)),
            Run(),
            Load(3, (), (("p1", 6, "gone"),)),
        ],
    ),
    "a wrapped stamp decides, and an old version comes late": (
        "def_plain_threads",
        [Load(0, (x(0, version=1),)), Run(), Load(1, (y(5, version=0),)), Run(), Load(2, (y(6, version=None),))],
    ),
    "a thread is reported gone and written to again": (
        "def_plain_threads",
        [Load(0, (x(0),)), Run(), Load(1, (), (("k0", 3, "gone"),)), Run(), Load(2, (y(5, version=1),))],
    ),
    "history inserts an old version, and takes it back": (
        "def_pylon_issues_versions",
        [Load(0, (x(3, version=1),)), Run(), Load(1, (y(5, version=0),)), Run(), Load(1)],
    ),
    "the batch that delivered a version first leaves, and a later reading stands in": (
        "def_pylon_issues_versions",
        [Load(0, (x(0),)), Load(1, (x(4),)), Run(), Drop(0)],
    ),
    "a batch with lost values is loaded again without them, then with them, then leaves": (
        "def_cast_failures",
        [
            Load(0, (x(0, version=None), y(0))),
            Run(),
            Load(0),
            Run(),
            Load(0, (x(1),)),
            Load(1, (y(2),)),
            Run(),
            Drop(0),
        ],
    ),
    "a record with a lost value stands in one page twice": (
        "def_cast_failures",
        [Load(0, (x(3), x(1))), Run(), Load(0, (x(1), x(3)), attempt=1)],
    ),
    "a list of lost values dies between its parts": (
        "def_cast_failures",
        [Load(0, (x(0),)), Run(), Load(0, (y(1),)), Run("crash", 4), Drop(0), Run("crash", 3)],
    ),
    "an event is read again by the next window, which is then the only one that has it": (
        "def_plain_deleted_threads",
        [Load(0, (x(0),)), Run(), Load(1, (x(4), Seen(1))), Run(), Load(0)],
    ),
}


@pytest.mark.parametrize("case", REGRESSIONS)
def test_a_sequence_that_was_wrong_once_is_right(silver_scripts: dict[str, Script], case: str) -> None:
    model, steps = REGRESSIONS[case]
    with world(silver_scripts[model]) as each:
        each.play(steps)


def test_reading_the_same_again_writes_nothing(silver_scripts: dict[str, Script], model: str) -> None:
    with world(silver_scripts[model]) as each:
        each.play([Load(0, (x(0), Seen(1)), (("*", 0, "complete"),))])
        before = each.silver.rows()
        each.load(Load(1, (x(3), Seen(1, read=3)), (("*", 3, "complete"),)))
        assert each.silver.build() == 0
        assert each.silver.rows() == before
        assert each.silver.build() == 0


@pytest.mark.parametrize(
    ("stream", "newer", "older"),
    [
        (
            "plain_tiers",
            {"name": "newer", "updatedAt": {"iso8601": "2026-01-05T00:00:00.5Z", "unixTimestamp": "1"}},
            {"name": "older", "updatedAt": {"iso8601": "2026-01-05T00:00:00Z", "unixTimestamp": "2"}},
        ),
        ("pylon_teams", {"name": "newer"}, {"name": "older"}),
    ],
    ids=["a stamp inside an object decides before the time of reading", "without a stamp the time of reading decides"],
)
def test_versions_are_ordered_by_what_the_stream_declares(
    silver_scripts: dict[str, Script], stream: str, newer: dict[str, Any], older: dict[str, Any]
) -> None:
    with world(silver_scripts[f"def_{stream}"]) as each:
        first, second = (newer, older) if stream == "plain_tiers" else (older, newer)
        each.bronze.load(stream, "b0", [Row({"id": "k0"} | first, at(1))], [Look("*", at(0))])
        each.silver.build()
        each.bronze.load(stream, "b1", [Row({"id": "k0"} | second, at(3))], [Look("*", at(2))])
        each.silver.build()
        assert dict(each.silver.rows()["k0"])["NAME"] == "newer"
        assert each.silver.rows() == each.silver.rebuilt()
