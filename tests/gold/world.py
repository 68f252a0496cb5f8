"""A simulated world, loaded night by night by the real Bronze steps and built by real dbt, beside its own truth."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pytest

from include.bronze.sources.http import SourceError
from include.bronze.steps import Bronze
from include.bronze.streams import Cadence
from include.bronze.warehouses import Warehouse
from include.bronze.warehouses.duckdb import DuckDBWarehouse
from include.settings import DBT_PROJECT_DIR, INDEX_LAG, Settings, load_settings
from include.simulators.truth import TicketTruth, Truth
from include.simulators.world.world import World
from tests.bronze.vendors import NIGHT, Vendors, served, settings_for
from tests.dbt.project import Outcome, Project
from tests.gold.recording import CLIENTS, Recording

# As soon after the end of a nightly cell as its night may run; in between nothing happens in the worlds used here.
FIRST_NIGHT = datetime(2025, 12, 8, 6, 0, tzinfo=UTC) + INDEX_LAG
# In most worlds a thread that was deleted comes back before the second, and in half of them an issue that was read by the
# third is marked as spam at the fourth and not any more at the last.
NIGHTS = (0, 19, 31, 34, 42)
LOOKS_FOR_DELETIONS = (0, 34, 42)
FAILS_AT_FIRST = 19  # and is read again at once
FAR = datetime.max.replace(tzinfo=UTC)
ZONE_OFFSET = timedelta(hours=-3)  # São Paulo, in the years of the worlds

Row = dict[str, Any]


@dataclass(eq=False)
class Loaded:
    """A world after its last night, with its warehouse. All that is asked of it is asked as of then."""

    seed: int
    size: str
    polls: tuple[datetime, ...]
    looks: tuple[datetime, ...]  # those of the polls after which deletions were looked for
    data_dir: Path
    world: World = field(init=False)
    _connection: duckdb.DuckDBPyConnection | None = field(init=False, default=None)
    _answers: dict[str, list[Row]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.world = World(self.seed, self.size)
        moments = [event.at for ticket in self.world.tickets for event in self.world.events(ticket.index)]
        for poll in self.polls:
            late = [at for at in moments if millis(poll - INDEX_LAG) <= at < millis(poll)]
            assert not late, f"world {self.seed} changes between what the night of {poll} covers and what it reads"

    @property
    def at(self) -> datetime:
        return self.polls[-1]

    @property
    def now(self) -> str:
        """The moment of the last night as the variable `now` takes it."""
        return f"{self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def warehouse(self) -> Path:
        return self.data_dir / "warehouse"

    @cached_property
    def truth(self) -> Truth:
        return Truth(self.world)

    @cached_property
    def tickets(self) -> dict[str, TicketTruth]:
        """What the world knows of every ticket, by id."""
        return {ticket.id: ticket for ticket in self.truth.tickets(millis(self.at))}

    def open(self) -> duckdb.DuckDBPyConnection:
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the files, and of what they have answered."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._answers.clear()

    def query(self, sql: str) -> list[Row]:
        """Rows of the warehouse, with column names in lower case. Nobody changes them: they are kept for who asks again."""
        if sql not in self._answers:
            self._connection = self._connection or self.open()
            relation = self._connection.execute(sql)
            names = [column[0].lower() for column in relation.description]
            self._answers[sql] = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
        return self._answers[sql]

    def relation(self, model: str) -> list[Row]:
        return self.query(f"select * from {model}")


@dataclass(eq=False)
class Built(Loaded):
    """One that dbt has built, and may go on building."""

    project_dir: Path = DBT_PROJECT_DIR

    def dbt(self, *arguments: str) -> Outcome:
        """One dbt command at the moment of the last night. Other variables would make dbt parse everything anew."""
        self.close()
        project = Project(self.data_dir, self.project_dir)
        outcome = project.run(*arguments, "--vars", f"{{now: '{self.now}'}}")
        assert outcome.success, outcome.said()
        return outcome

    def build(self, *options: str) -> Outcome:
        """Everything there is to build, without its tests."""
        return self.dbt("build", "--exclude", "resource_type:unit_test", "resource_type:test", *options)

    def open(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        for client in CLIENTS:
            name = f"{client}_DB_LOCAL"
            connection.execute(f"attach '{self.warehouse / name}.duckdb' as {name} (read_only)")
        connection.execute("use DEF_DB_LOCAL.GOLD")
        return connection

    def copy(self, folder: Path, project_dir: Path | None = None) -> Built:
        """The same world in files of its own, to be changed."""
        shutil.copytree(self.warehouse, folder / "warehouse")
        return Built(self.seed, self.size, self.polls, self.looks, folder, project_dir=project_dir or self.project_dir)


@dataclass(eq=False)
class Replayed(Loaded):
    """One built by what dbt sent for another."""

    recording: Recording | None = None

    def open(self) -> duckdb.DuckDBPyConnection:
        assert self.recording is not None
        return self.recording.replay(self.warehouse)


def build(folder: Path, seed: int) -> tuple[Built, Recording]:
    """A tiny world that dbt built after its first night and after its last, and what it sent for the first time."""
    recordings: list[Recording] = []
    world = Built(seed, "tiny", *moments_of(NIGHTS), folder / "data")

    def after(night: int) -> None:
        if night in (NIGHTS[0], NIGHTS[-1]):
            outcome = world.build()
            if not recordings:
                recordings.append(Recording.of(outcome.statements, world.warehouse))

    load(folder, seed, "tiny", NIGHTS, after)
    return world, recordings[0]


def replay(
    folder: Path, seed: int, recording: Recording, size: str = "tiny", nights: Sequence[int] = NIGHTS
) -> Replayed:
    """A world that was loaded and is built by what dbt has sent for another."""
    load(folder, seed, size, nights)
    return Replayed(seed, size, *moments_of(nights), folder / "data", recording=recording)


class OpenBronze(Bronze):
    """Bronze whose warehouse stays open between its steps: opening it is half of what a night of a tiny world costs."""

    opened: ClassVar[dict[Path, DuckDBWarehouse]] = {}

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        file = self.settings.database_file(self.client.code)
        if file not in self.opened:
            self.opened[file] = DuckDBWarehouse(file)
        yield self.opened[file]

    def let_go(self) -> None:
        if opened := self.opened.pop(self.settings.database_file(self.client.code), None):
            opened.close()


def load(
    folder: Path, seed: int, size: str, nights: Sequence[int], after: Callable[[int], None] = lambda _: None
) -> None:
    """Load some nights of a world into a folder's Bronze, and do something after each."""
    with served(folder / "vendors", size, seed) as vendors:
        data = folder / "data"
        data.mkdir()
        (data / "drop").symlink_to(vendors.data_dir / "drop")
        settings = settings_for(vendors, data) if size == "tiny" else _whole_history(vendors, data)
        clients = [
            OpenBronze(settings, settings.client(code), vendors.connection, "a test") for code in ("core", "def")
        ]
        for night in nights:
            vendors.set_clock(poll_of(night))
            for bronze in clients:
                load_night(bronze, f"night {night}", vendors if night == FAILS_AT_FIRST else None)
            if night in LOOKS_FOR_DELETIONS:
                look_for_deletions(clients[-1])
            for bronze in clients:
                bronze.let_go()
            after(night)


def load_night(bronze: Bronze, run_id: str, failing: Vendors | None) -> None:
    """One night: plan, extract, load, and note what was tried. With vendors given, a stream fails the first time."""
    plan = bronze.plan(FAR)
    for stream, planned in plan.items():
        if failing is not None and stream == "pylon_teams":
            failing.fault(system="pylon", endpoint="GET /teams", kind="status", status=403)
            with pytest.raises(SourceError):
                bronze.extract(stream, planned, f"{run_id}, failing")
        bronze.load(stream, bronze.extract(stream, planned, run_id), run_id)
    bronze.record_attempts(item["batch_id"] for planned in plan.values() for item in planned)


def _whole_history(vendors: Vendors, data: Path) -> Settings:
    """The project's own configuration, unchanged: the larger worlds begin when its history does."""
    clock = str(vendors.data_dir / "simulators" / "clock.json")
    return load_settings({"SUPPORT_DATA_DIR": str(data), "SUPPORT_CLOCK_FILE": clock})


def look_for_deletions(bronze: Bronze) -> None:
    """What the weekly run does: list every issue, and ask for those that are missing."""
    planned = bronze.plan(FAR, cadence=Cadence.WEEKLY)["pylon_issue_ids"]
    bronze.load("pylon_issue_ids", bronze.extract("pylon_issue_ids", planned, "weekly"), "weekly")
    confirmed = bronze.confirm_deletions("pylon_issue_ids", "weekly")
    if confirmed is not None:
        bronze.load("pylon_issues", [confirmed], "weekly")


def poll_of(night: int) -> datetime:
    """When the vendors are read in a night."""
    return FIRST_NIGHT + night * NIGHT


def moments_of(nights: Sequence[int]) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """When the vendors are read, and after which of those readings deletions are looked for."""
    return tuple(map(poll_of, nights)), tuple(poll_of(night) for night in nights if night in LOOKS_FOR_DELETIONS)


def millis(at: datetime) -> int:
    """An instant as the simulated world counts it."""
    return int(at.timestamp() * 1000)


def instant(at: int | None) -> datetime | None:
    """One of the world's instants as the warehouse has it: UTC without a zone."""
    return None if at is None else datetime.fromtimestamp(0, UTC).replace(tzinfo=None) + timedelta(milliseconds=at)


def local_day(at: int | None) -> date | None:
    found = instant(at)
    return None if found is None else (found + ZONE_OFFSET).date()
