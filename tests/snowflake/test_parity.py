"""The whole project on both engines: one world, loaded and built twice with corrections between, compared row by row.

What is landed is landed once, so both load the same attempts; the loader, dbt and every statement are the real ones.
Which relations are compared is read from what dbt built, so a new model is covered when it lands. Both are DuckDB
underneath: this shows that the text sent to Snowflake means the same, not how Snowflake itself would compute it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from include.bronze.ledger import Load
from include.bronze.steps import Bronze, Connection
from include.bronze.streams import Cadence
from include.bronze.warehouses import sql
from include.settings import Settings, Target
from include.snowflake import CONNECTION
from tests.bronze.vendors import NIGHT, Vendors, served, settings_for
from tests.dbt.project import Outcome, Project
from tests.snowflake.emulator import Emulator, running

# With dbt's tests, on a busy machine, the two builds of the fixture take longer than a test may by default.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

FIRST_NIGHT = datetime(2025, 12, 15, 6, 20, tzinfo=UTC)
FAR = datetime.max.replace(tzinfo=UTC)
DAYS = (0, 60)
CLIENTS = ("def", "core")
# A campaign asks for more worlds, and for larger ones.
SEEDS = [int(seed) for seed in os.environ.get("SUPPORT_PARITY_SEEDS", "7").split(",")]
SIZE = os.environ.get("SUPPORT_PARITY_SIZE", "tiny")
HISTORY_FROM = "2025-12-01" if SIZE == "tiny" else "2025-01-01"
# dbt's tests take five times as long as the models. A campaign runs them too; here their text is read (lint: snowflake).
WHAT = () if os.environ.get("SUPPORT_SNOWFLAKE_TESTS") else ("--exclude-resource-type", "test", "unit_test")
Rows = Counter[tuple[Any, ...]]


@dataclass(frozen=True)
class Side:
    """One of the two engines: its settings, its connections, its dbt, and how its relations are read."""

    settings: Settings
    find_connection: Callable[[str], Connection]
    project: Project
    environment: dict[str, str]
    query: Callable[[str], tuple[list[str], list[tuple[Any, ...]]]]

    def bronze(self, client: str) -> Bronze:
        return Bronze(self.settings, self.settings.client(client), self.find_connection, "a test")

    def build(self) -> Outcome:
        # The same moment for every build: with another variable dbt would parse the whole project again.
        frozen = json.dumps({"now": f"{FIRST_NIGHT + DAYS[-1] * NIGHT:%Y-%m-%d %H:%M:%S}"})
        where = ("--target", str(self.settings.target), "--vars", frozen)
        return self.project.run("build", *where, *WHAT, environment=self.environment)

    def rows(self, relation: str) -> tuple[list[str], Rows]:
        """A relation's columns in alphabetical order, and how often it has each row."""
        names, rows = self.query(f"select * from {relation}")
        order = sorted(range(len(names)), key=lambda i: names[i].upper())
        return [names[i].upper() for i in order], Counter(tuple(_plain(row[i]) for i in order) for row in rows)


def _plain(value: Any) -> Any:
    """A value as both engines give it: whole decimals as integers, arrays and objects as their JSON."""
    if isinstance(value, Decimal):
        return value.normalize()
    if isinstance(value, list | dict):
        return json.dumps(value)
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.dumps(json.loads(value))
        except ValueError:
            return value
    return value


def _on_duckdb(settings: Settings, vendors: Vendors) -> Side:
    def query(text: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            for client in CLIENTS:
                file = settings.database_file(client)
                connection.execute(f"attach '{file}' as {settings.database(client)} (read_only)")
            result = connection.execute(text)
            return [column[0] for column in result.description], result.fetchall()

    return Side(settings, vendors.connection, Project(settings.data_dir), {}, query)


def _on_snowflake(settings: Settings, vendors: Vendors, emulator: Emulator, folder: Path) -> Side:
    def find_connection(conn_id: str) -> Connection:
        if conn_id != CONNECTION:
            return vendors.connection(conn_id)
        where = {"account": "emulator", "host": "127.0.0.1", "port": emulator.port, "protocol": "http"}
        return Connection(None, "any", where, "LOADER")

    def query(text: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with emulator.connect("CORE_DB_DEV") as connection, connection.cursor() as cursor:
            rows = [tuple(row) for row in cursor.execute(text).fetchall()]
            return [column.name for column in cursor.description], rows

    return Side(replace(settings, target=Target.DEV), find_connection, Project(folder), emulator.environment, query)


@contextmanager
def _equal_loads(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loads are told apart by number and come at one time, so that nothing but the data can differ."""
    numbers = count()
    patch.setattr(sql, "Load", lambda _id, run, _at: Load(f"load {next(numbers)}", run, "2026-01-01 00:00:00"))
    yield
    patch.undo()


def _land(side: Side, run: str) -> dict[str, dict[str, list[str]]]:
    """Everything there is to read, read once."""
    landed: dict[str, dict[str, list[str]]] = {}
    for client in CLIENTS:
        bronze = side.bronze(client)
        landed[client] = {}
        for cadence in (Cadence.NIGHTLY, Cadence.WEEKLY):
            for stream, planned in bronze.plan(FAR, cadence=cadence).items():
                landed[client][stream] = bronze.extract(stream, planned, run)
    return landed


def _load(side: Side, landed: dict[str, dict[str, list[str]]], run: str) -> None:
    for client, streams in landed.items():
        for stream, batches in streams.items():
            side.bronze(client).load(stream, batches, run)


@dataclass(frozen=True)
class Built:
    """Both engines after the last night, and how every build went."""

    sides: tuple[Side, Side]
    outcomes: list[tuple[Outcome, Outcome]]


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"{SIZE} world {seed}")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("parity")
    with (
        served(folder / "vendors", SIZE, request.param) as vendors,
        running() as emulator,
        pytest.MonkeyPatch.context() as patch,
    ):
        data = folder / "data"
        settings = settings_for(vendors, data, HISTORY_FROM)
        (data / "drop").symlink_to(vendors.data_dir / "drop")
        sides = (_on_duckdb(settings, vendors), _on_snowflake(settings, vendors, emulator, folder / "snowflake"))
        outcomes = []
        for day in DAYS:
            now = FIRST_NIGHT + day * NIGHT
            vendors.set_clock(now)
            landed = _land(sides[0], f"night {day}")
            for side in sides:
                with _equal_loads(patch):
                    _load(side, landed, f"night {day}")
            if day:
                _confirm_deletions(sides, patch)
            outcomes.append((sides[0].build(), sides[1].build()))
        yield Built(sides, outcomes)


def _confirm_deletions(sides: tuple[Side, Side], patch: pytest.MonkeyPatch) -> None:
    """What the listing of ids casts doubt on, looked up and landed once, and loaded on both."""
    confirmed = sides[0].bronze("def").confirm_deletions("pylon_issue_ids", "weekly")
    for side in sides if confirmed else ():
        with _equal_loads(patch):
            _load(side, {"def": {"pylon_issues": [confirmed]}}, "weekly")


def test_every_node_ends_alike_on_both(built: Built) -> None:
    for one, other in built.outcomes:
        assert one.result is not None, one.said()
        assert other.result is not None, other.said()
        assert one.statuses() == other.statuses(), other.said()
        assert not {"error", "fail"} & set(one.statuses().values()), one.said()


def test_every_relation_has_the_same_rows_on_both(built: Built) -> None:
    one, other = built.sides
    outcome = built.outcomes[-1][0]
    nodes = [
        each.node for each in outcome.result.results if each.node.resource_type in ("model", "seed") and each.node.alias
    ]
    compared = {}
    with_deletions = set()
    for node in nodes:
        local = f"{node.database}.{node.schema}.{node.alias}"
        names, rows = one.rows(local)
        assert (names, rows) == other.rows(local.replace("_LOCAL.", "_DEV.")), f"{node.name} differs"
        compared[node.name] = rows.total()
        if "IS_DELETED" in names and any(row[names.index("IS_DELETED")] for row in rows):
            with_deletions.add(node.name)
    assert len(compared) >= 40
    filled = {name for name, rows in compared.items() if rows}
    assert with_deletions, "nothing was ever deleted, so that was not compared"
    assert {"def_pylon_issues", "def_plain_threads", "def_pylon_messages", "fct_def_tickets"} <= filled
