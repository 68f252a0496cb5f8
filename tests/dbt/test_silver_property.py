"""Silver is a pure function of Bronze and its ledger: whatever happened, an increment leaves what a rebuild would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.dbt.bronze import Bronze, Look, Row, account, at, issue, note
from tests.dbt.silver import Script, Silver

pytestmark = pytest.mark.integration  # the recording is made by real dbt

RECORDS: dict[str, Callable[..., dict[str, Any]]] = {
    "pylon_issues": issue,
    "pylon_accounts": account,
    "pylon_notes": note,
}
VOLATILE = {"pylon_issues": "active_time_seconds", "pylon_accounts": "logo_url", "pylon_notes": "seen_count"}
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
    looks: tuple[tuple[str, int, str], ...] = ()
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

seen = st.builds(
    Seen,
    key=st.integers(0, 3),
    version=st.one_of(st.integers(0, 3), st.none()),
    content=st.integers(0, 1),
    read=st.integers(0, 9),
    page=st.integers(1, 2),
    volatile=st.integers(0, 1),
    parent=st.integers(0, 1),
)
looks = st.tuples(
    st.sampled_from(["*", "p0", "p1", "k0", "k1", "k2"]), st.integers(0, 10), st.sampled_from(["complete", "gone"])
)
loads = st.builds(
    Load,
    batch=st.integers(0, 3),
    seen=st.lists(seen, max_size=5).map(tuple),
    looks=st.lists(looks, max_size=2).map(tuple),
    attempt=st.integers(0, 1),
)
runs = st.one_of(
    st.just(Run()),
    st.just(Run()),
    st.builds(Run, st.just("crash"), st.integers(1, 7)),
    st.builds(Run, st.just("refresh")),
    st.builds(Run, st.just("meanwhile"), st.integers(1, 7), loads),
)
sequences = st.lists(st.one_of(loads, loads, st.builds(Drop, st.integers(0, 3)), runs, runs), max_size=12)


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
        assert self.silver.rows() == self.silver.wanted()

    def load(self, load: Load) -> None:
        self.bronze.load(
            self.stream,
            f"b{load.batch}",
            [self.row(each) for each in load.seen],
            [Look(scope, at(minute), outcome) for scope, minute, outcome in load.looks],
            attempt=f"a{load.attempt}",
        )

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
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=sequences)
def test_an_increment_leaves_what_a_rebuild_would_and_writes_only_what_changed(
    silver_scripts: dict[str, Script], stream: str, steps: list[Step]
) -> None:
    with world(silver_scripts[f"def_{stream}"], stream) as each:
        each.play(steps)
