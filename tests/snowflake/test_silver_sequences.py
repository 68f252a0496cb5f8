"""The same random batches into DuckDB and into the emulator, built by real dbt on both: Silver is one text, one result.

tests/dbt/test_silver_property.py plays thousands of such sequences on DuckDB. Here are few, played on two engines by the
adapters themselves, with every merge, hook and cast in the form that Snowflake is sent.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection

from tests.dbt.bronze import STREAMS, Bronze, Look, Row, at, open_warehouse
from tests.dbt.project import Outcome, Project, copy_of_project
from tests.dbt.silver import _without_comment
from tests.dbt.test_silver_property import SUBJECTS, Drop, Load, Seen
from tests.snowflake.emulator import Emulator

pytestmark = pytest.mark.integration

CHILDREN = Path(__file__).parents[1] / "dbt" / "children"
SEEDS = range(int(os.environ.get("SUPPORT_SNOWFLAKE_SEQUENCES", "1")))  # a campaign asks for more
ROUNDS = 4
NEW_TABLE = re.compile(
    r"create\s+(or\s+replace\s+transient\s+)?table\s+\S+\s+as \((?P<select>.*)\)\s*;?\s*$", re.IGNORECASE | re.DOTALL
)
Held = tuple[tuple[str, Any], ...]


class Session:
    """A connection to Snowflake with the one method that tests/dbt/bronze.py needs of a connection."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        self.connection = connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        cursor = self.connection.cursor()
        return cursor.execute(sql.replace("?", "%s"), list(values)) if values else cursor.execute(sql)


def apply(model: str, step: Load | Drop, bronze: Bronze) -> None:
    """What a step of a sequence changes in the Bronze of a model's stream."""
    subject = SUBJECTS[model]
    if isinstance(step, Drop):
        bronze.drop(subject.stream, f"b{step.batch}")
        return
    is_child = STREAMS[subject.stream].parent is not None
    rows = [
        Row(subject.record(seen), at(seen.read), seen.page, f"p{seen.parent}" if is_child else None)
        for seen in step.seen
    ]
    looks = [
        Look(scope if isinstance(scope, str) else subject.scopes[scope], at(minute), outcome)
        for scope, minute, outcome in step.looks
    ]
    bronze.load(subject.stream, f"b{step.batch}", rows, looks, attempt=f"a{step.attempt}")


@dataclass
class Engine:
    """One of the two: where its Bronze is, and how dbt is told to build there."""

    project: Project
    target: str
    environment: dict[str, str] = field(default_factory=dict)
    emulator: Emulator | None = None
    selects: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        return f"DEF_DB_{self.target}".upper()

    @contextmanager
    def connected(self) -> Iterator[Any]:
        if self.emulator:
            with self.emulator.connect(self.database) as connection:
                yield Session(connection)
        else:
            with open_warehouse(self.project.warehouse) as connection:
                yield connection

    def create(self) -> None:
        with self.connected() as connection:
            for schema in ("BRONZE", "SILVER"):
                connection.execute(f"drop schema if exists {self.database}.{schema} cascade")
            Bronze(connection, self.database).create()

    def load(self, steps: Sequence[tuple[str, Load | Drop]]) -> None:
        with self.connected() as connection:
            bronze = Bronze(connection, self.database)
            for model, step in steps:
                apply(model, step, bronze)

    def build(self) -> Outcome:
        outcome = self.project.run("run", "--target", self.target, "--select", *SUBJECTS, environment=self.environment)
        assert outcome.success, outcome.said()
        for node, sql in outcome.statements:
            if match := NEW_TABLE.match(_without_comment(sql).strip()):
                self.selects.setdefault(node.rsplit(".", 1)[1], match["select"])
        return outcome

    def held(self) -> dict[str, dict[str, Held]]:
        with self.connected() as connection:
            return {model: _by_key(connection, f"select * from {self.database}.SILVER.{model}") for model in SUBJECTS}

    def rebuilt(self) -> dict[str, dict[str, Held]]:
        """What a full refresh would make: the query that dbt sent for the very first build, sent again."""
        with self.connected() as connection:
            return {model: _by_key(connection, self.selects[model]) for model in SUBJECTS}


def _by_key(connection: Any, query: str) -> dict[str, Held]:
    result = connection.execute(query)
    names = [column[0].upper() for column in result.description]
    rows = [tuple(zip(names, map(_plain, row), strict=True)) for row in result.fetchall()]
    by_key = {dict(row)["RECORD_KEY"]: row for row in rows}
    assert len(by_key) == len(rows), f"a key stands there twice: {rows}"
    return by_key


def _plain(value: Any) -> Any:
    """A value as both engines give it: an array of texts is a list on one and its JSON on the other."""
    if isinstance(value, str) and value.startswith("["):
        return json.loads(value)
    return value


def _seen(chance: random.Random) -> Seen:
    """Few keys, stamps and contents: what goes wrong goes wrong where records meet."""
    return Seen(
        key=chance.choice([0, 0, 0, 1]),
        version=chance.choice([0, 0, 0, 1, None]),
        content=chance.randint(0, 1),
        read=chance.randint(0, 5),
        page=chance.choice([1, 1, 2]),
        volatile=chance.randint(0, 1),
        parent=chance.randint(0, 1),
    )


def _load(chance: random.Random, batch: int) -> Load:
    look = (chance.randint(0, 3), chance.randint(2, 9), chance.choice(["complete", "gone"]))
    rows = tuple(_seen(chance) for _ in range(chance.randint(0, 2)))
    return Load(batch, rows, (look,) * chance.choice([0, 1, 1]), chance.randint(0, 1))


def sequence(seed: int) -> list[list[tuple[str, Load | Drop]]]:
    """Rounds of changes, for every stream some; the first has several batches, so that something can be taken away."""
    chance = random.Random(seed)
    by_stream = {subject.stream: model for model, subject in SUBJECTS.items()}
    rounds = [[(model, _load(chance, batch)) for model in by_stream.values() for batch in range(3)]]
    for _ in range(ROUNDS - 1):
        changes: list[tuple[str, Load | Drop]] = []
        for model in by_stream.values():
            for _ in range(chance.randint(1, 2)):
                batch = chance.randint(0, 3)
                changes.append((model, Drop(batch) if chance.random() < 0.25 else _load(chance, batch)))
        rounds.append(changes)
    return rounds


@pytest.mark.parametrize("seed", SEEDS)
def test_silver_is_the_same_on_both_engines_after_every_step_and_equals_a_rebuild(
    seed: int, emulator: Emulator, tmp_path: Path
) -> None:
    assert {subject.stream for subject in SUBJECTS.values()} <= STREAMS.keys()
    project = copy_of_project(tmp_path, CHILDREN)
    duckdb = Engine(Project(tmp_path / "duckdb", project), "local")
    snowflake = Engine(Project(tmp_path / "snowflake", project), "dev", emulator.environment, emulator)
    engines = (duckdb, snowflake)
    for engine in engines:
        engine.create()
    never_filled, never_deleted = set(SUBJECTS), {name for name, each in SUBJECTS.items() if each.keeps == "records"}
    for number, changes in enumerate(sequence(seed)):
        for engine in engines:
            engine.load(changes)
            engine.build()
        held = [engine.held() for engine in engines]
        for model in SUBJECTS:
            assert held[0][model] == held[1][model], f"{model} differs between the engines after round {number}"
        for engine, kept in zip(engines, held, strict=True):
            assert kept == engine.rebuilt(), f"{engine.target} is not what a rebuild would make after round {number}"
        never_filled -= {model for model, rows in held[0].items() if rows}
        never_deleted -= {
            model for model in never_deleted if any(dict(row)["IS_DELETED"] for row in held[0][model].values())
        }
    if seed == SEEDS[0]:  # that one is known to do everything; a campaign adds what comes
        assert not never_filled, "nothing was compared there"
        assert not never_deleted, "no record was ever found deleted there"
