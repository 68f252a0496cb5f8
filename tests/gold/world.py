"""A simulated world, loaded night by night by the real Bronze steps and built by real dbt, beside its own truth."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from include.bronze.steps import Bronze
from include.bronze.streams import Cadence
from include.settings import INDEX_LAG, Settings, load_settings
from include.simulators.truth import TicketTruth, Truth
from include.simulators.world.world import World
from tests.bronze.vendors import NIGHT, Vendors, run_night, served, settings_for
from tests.dbt.project import Project

# As soon after the end of a nightly cell as its night may run; in between nothing happens in the worlds used here.
FIRST_NIGHT = datetime(2025, 12, 8, 6, 0, tzinfo=UTC) + INDEX_LAG
NIGHTS = (0, 5, 8, 14, 21, 35)
FAR = datetime.max.replace(tzinfo=UTC)
ZONE_OFFSET = timedelta(hours=-3)  # São Paulo, in the years of the worlds

Row = dict[str, Any]


@dataclass
class Loaded:
    """A world after its last night, with its warehouse. All that is asked of it is asked as of then."""

    seed: int
    size: str
    polls: tuple[datetime, ...]
    project: Project
    world: World = field(init=False)

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

    @cached_property
    def truth(self) -> Truth:
        return Truth(self.world)

    @cached_property
    def tickets(self) -> dict[str, TicketTruth]:
        """What the world knows of every ticket, by id."""
        return {ticket.id: ticket for ticket in self.truth.tickets(millis(self.at))}

    def dbt(self, *arguments: str) -> None:
        outcome = self.project.run(*arguments, "--vars", f"{{now: '{self.now}'}}")
        assert outcome.success, outcome.said()

    def build(self, *options: str) -> None:
        """Everything there is to build, without its tests."""
        self.dbt("build", "--exclude", "resource_type:unit_test", "resource_type:test", *options)

    def query(self, sql: str) -> list[Row]:
        """Rows of the warehouse, with column names in lower case."""
        folder = self.project.warehouse
        with duckdb.connect() as connection:
            for client in ("DEF", "CORE"):
                name = f"{client}_DB_LOCAL"
                connection.execute(f"attach '{folder / name}.duckdb' as {name} (read_only)")
            connection.execute("use DEF_DB_LOCAL.GOLD")
            relation = connection.execute(sql)
            names = [column[0].lower() for column in relation.description]
            return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]

    def relation(self, model: str) -> list[Row]:
        return self.query(f"select * from {model}")

    def copy(self, folder: Path, project_dir: Path | None = None) -> Loaded:
        """The same world in files of its own, to be changed."""
        shutil.copytree(self.project.warehouse, folder / "warehouse")
        return Loaded(self.seed, self.size, self.polls, Project(folder, project_dir or self.project.project_dir))


def load(
    folder: Path, seed: int, *, size: str = "tiny", nights: Sequence[int] = NIGHTS, built_after: Sequence[int] = ()
) -> Loaded:
    """Load some nights of a world and build after the last, and after those of the others that are asked for."""
    with served(folder / "vendors", size, seed) as vendors:
        data = folder / "data"
        data.mkdir()
        (data / "drop").symlink_to(vendors.data_dir / "drop")
        settings = settings_for(vendors, data) if size == "tiny" else _whole_history(vendors, data)
        clients = [Bronze(settings, settings.client(code), vendors.connection, "a test") for code in ("core", "def")]
        polls = tuple(FIRST_NIGHT + day * NIGHT for day in nights)
        loaded = Loaded(seed, size, polls, Project(data))
        for number, poll in enumerate(polls):
            vendors.set_clock(poll)
            for bronze in clients:
                run_night(bronze, f"night {number}", tuple(bronze.plan(FAR)))
            if poll == polls[-1]:
                look_for_deletions(clients[-1])
            if number in built_after or poll == polls[-1]:
                loaded.build()
    return loaded


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


def millis(at: datetime) -> int:
    """An instant as the simulated world counts it."""
    return int(at.timestamp() * 1000)


def instant(at: int | None) -> datetime | None:
    """One of the world's instants as the warehouse has it: UTC without a zone."""
    return None if at is None else datetime.fromtimestamp(0, UTC).replace(tzinfo=None) + timedelta(milliseconds=at)


def local_day(at: int | None) -> date | None:
    found = instant(at)
    return None if found is None else (found + ZONE_OFFSET).date()
