"""Silver is a pure function of Bronze and its ledger: whatever happened, an increment leaves what a rebuild would."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.bronze import STREAMS, Bronze, Look, Row, account, at, issue, note
from tests.dbt.oracle import Kept, current_records
from tests.dbt.silver import Script, Silver

pytestmark = pytest.mark.integration  # the recording is made by real dbt

EXAMPLES = int(os.environ.get("SUPPORT_EXAMPLES", "30"))  # a campaign asks for thousands

RECORDS: dict[str, Callable[..., dict[str, Any]]] = {
    "pylon_issues": issue,
    "pylon_accounts": account,
    "pylon_notes": note,
}
VOLATILE = {"pylon_issues": "active_time_seconds", "pylon_accounts": "logo_url", "pylon_notes": "seen_count"}
# What a look can be at, mostly what the stream's batches do look at.
SCOPES = {
    "pylon_issues": ("k0", "k0", "k1", "*"),
    "pylon_accounts": ("*", "*", "*", "k0"),
    "pylon_notes": ("p0", "p0", "p1", "k0"),
}
TITLE = {"pylon_issues": "title", "pylon_accounts": "name", "pylon_notes": "title"}


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
class Run:
    """One run of the model."""

    kind: str = "build"
    after: int = 0
    meanwhile: Load | None = None


Step = Load | Drop | Run

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
runs = st.one_of(
    st.just(Run()),
    st.just(Run()),
    st.builds(Run, st.just("crash"), st.integers(1, 7)),
    st.builds(Run, st.just("refresh")),
    st.builds(Run, st.just("meanwhile"), st.integers(1, 7), loads),
)
changes = st.one_of(loads, loads, st.builds(Drop, st.integers(0, 3)), runs)
# Before the first run several batches are loaded, so that what is then taken away was there: anything, or one record whose
# content goes back and forth from batch to batch.
anything = st.lists(st.tuples(st.lists(seen, max_size=2), st.lists(looks, max_size=1)), min_size=2, max_size=4).map(
    lambda batches: [Load(number, tuple(rows), tuple(seen)) for number, (rows, seen) in enumerate(batches)]
)
back_and_forth = st.integers(2, 4).map(
    lambda count: [Load(number, (Seen(0, content=number % 2, read=number),)) for number in range(count)]
)
sequences = st.builds(
    lambda before, after: [*before, Run(), *after],
    st.one_of(anything, back_and_forth),
    st.lists(changes, min_size=1, max_size=6),
)


class World:
    """One Bronze, one Silver over it, and the check between the two."""

    def __init__(self, script: Script, stream: str, connection: duckdb.DuckDBPyConnection) -> None:
        self.stream = stream
        self.bronze = Bronze(connection)
        self.bronze.create()
        self.silver = Silver(script, connection)
        self.silver.create_bookkeeping()

    def play(self, steps: Sequence[Step]) -> None:
        for step in [*steps, Run()]:
            match step:
                case Load():
                    self.load(step)
                case Drop(batch):
                    self.bronze.drop(self.stream, f"b{batch}")
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

    def build(self) -> None:
        before = self.silver.rows() if self.silver.is_built else {}
        written = self.silver.build()
        after = self.silver.rows()
        changed = [key for key, row in after.items() if before.get(key) != row]
        assert not before or written == len(changed), f"{written} rows were written, but only {changed} changed"

    def check(self) -> None:
        held = self.silver.rows()
        assert held == self.silver.rebuilt()
        assert {key: self.kept(dict(row)) for key, row in held.items()} == current_records(self.bronze, self.stream)

    def kept(self, row: dict[str, Any]) -> Kept:
        assert row["IS_DELETED"] == (row["DELETED_AT"] is not None)
        names = sorted(name.upper() for name in STREAMS[self.stream].volatile)
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
        self.bronze.load(
            self.stream,
            f"b{load.batch}",
            [self.row(each) for each in load.seen],
            [Look(self.scope(scope), at(minute), outcome) for scope, minute, outcome in load.looks],
            attempt=f"a{load.attempt}",
        )

    def scope(self, named: int | str) -> str:
        return named if isinstance(named, str) else SCOPES[self.stream][named]

    def row(self, seen: Seen) -> Row:
        record = RECORDS[self.stream](f"k{seen.key}", at(seen.version or 0))
        record |= {TITLE[self.stream]: f"content {seen.content}", VOLATILE[self.stream]: f"{seen.volatile}"}
        if seen.version is None:
            record["updated_at"] = "not a time"
        parent = f"p{seen.parent}" if self.stream == "pylon_notes" else None
        return Row(record, at(seen.read), seen.page, parent)


@contextmanager
def world(script: Script, stream: str) -> Iterator[World]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 1; attach ':memory:' as DEF_DB_LOCAL")
        yield World(script, stream, connection)


@pytest.fixture(params=["pylon_issues", "pylon_accounts", "pylon_notes"])
def stream(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=sequences)
def test_an_increment_leaves_what_a_rebuild_would_and_writes_only_what_changed(
    silver_scripts: dict[str, Script], stream: str, steps: list[Step]
) -> None:
    with world(silver_scripts[f"def_{stream}"], stream) as each:
        each.play(steps)


def x(read: int, **more: Any) -> Seen:
    return Seen(0, content=0, read=read, **more)


def y(read: int, **more: Any) -> Seen:
    return Seen(0, content=1, read=read, **more)


# Shrunk sequences that once told a wrong Silver from a right one, each for the streams it can happen to.
REGRESSIONS: dict[str, tuple[str, list[Step]]] = {
    "a version between two equal ones leaves, so the older of them is the first again": (
        "pylon_issues",
        [Load(0, (x(0),)), Load(1, (y(1),)), Load(2, (x(2),)), Run(), Load(1)],
    ),
    "the latest reading leaves, so a look before it counts again": (
        "pylon_issues",
        [Load(0, (x(0),)), Load(1, (x(5),)), Load(3, looks=(("k0", 3, "gone"),)), Run(), Drop(1)],
    ),
    "the only evidence of a deletion leaves": (
        "pylon_accounts",
        [Load(0, (x(0),), (("*", 0, "complete"),)), Load(1, (), (("*", 5, "complete"),)), Run(), Drop(1)],
    ),
    "a directory without the record arrives before an older one": (
        "pylon_accounts",
        [Load(0, (x(0),)), Load(2, (), (("*", 6, "complete"),)), Run(), Load(1, (), (("*", 3, "complete"),))],
    ),
    "the last row of a key leaves": ("pylon_issues", [Load(0, (x(0),)), Load(1, (Seen(1),)), Run(), Load(0)]),
    "the last batch leaves": ("pylon_issues", [Load(0, (x(0),)), Run(), Drop(0)]),
    "a crash between the merge and the marking": (
        "pylon_issues",
        [Load(0, (x(0),)), Run(), Load(0, (y(1),)), Run("crash", 5), Load(0, (x(0),)), Run()],
    ),
    "a crash between unmarking and marking": (
        "pylon_issues",
        [Load(0, (x(0),)), Run(), Load(1, (y(1),)), Run("crash", 7), Drop(1), Run()],
    ),
    "a load that comes in while the model builds": (
        "pylon_issues",
        [Load(0, (x(0),)), Run(), Load(1, (y(1),)), Run("meanwhile", 4, Load(1, (y(2), Seen(1))))],
    ),
    "one record twice in a page, with another signature": (
        "pylon_accounts",
        [Load(0, (x(0, volatile=1), x(0, volatile=0))), Run(), Load(0, (x(0, volatile=0), x(0, volatile=1)))],
    ),
    "a child moves to another parent with the same content": (
        "pylon_notes",
        [Load(0, (x(0, parent=0),)), Run(), Load(1, (x(2, parent=1),), (("p0", 3, "complete"),))],
    ),
    "a parent is asked and the child is not there, then the parent is gone": (
        "pylon_notes",
        [
            Load(0, (x(0),)),
            Run(),
            Load(1, (), (("p0", 2, "complete"),)),
            Run(),
            Load(2, (), (("p0", 1, "gone"),)),
        ],
    ),
}


@pytest.mark.parametrize("case", REGRESSIONS)
def test_a_sequence_that_was_wrong_once_is_right(silver_scripts: dict[str, Script], case: str) -> None:
    stream, steps = REGRESSIONS[case]
    with world(silver_scripts[f"def_{stream}"], stream) as each:
        each.play(steps)


def test_reading_the_same_again_writes_nothing(silver_scripts: dict[str, Script], stream: str) -> None:
    with world(silver_scripts[f"def_{stream}"], stream) as each:
        each.play([Load(0, (x(0), Seen(1)), (("*", 0, "complete"),))])
        before = each.silver.rows()
        each.load(Load(1, (x(3), Seen(1, read=3)), (("*", 3, "complete"),)))
        assert each.silver.build() == 0
        assert each.silver.rows() == before
        assert each.silver.build() == 0
