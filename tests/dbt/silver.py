"""Silver without dbt: the very statements dbt sends for a model, recorded once and replayed on other data.

dbt takes a second or two to start; a property test wants hundreds of runs. So dbt builds each Silver model once anew and
once incrementally, every statement is kept as it was sent, and a replay sends the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from tests.dbt.project import Project

KEPT = re.compile(r"\s*(begin|commit|create|insert|delete|merge|alter|drop)\b", re.IGNORECASE)
MERGE = re.compile(r"\s*merge into .* as DBT_INTERNAL_DEST", re.IGNORECASE)
NEW_TABLE = re.compile(r"create\s+table\s+\S+\s+as \((?P<select>.*)\)\s*;", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Script:
    """One Silver model as SQL: what dbt sends for a full refresh and for an increment."""

    model: str
    bookkeeping: tuple[str, ...] = field(repr=False)
    first: tuple[str, ...] = field(repr=False)
    increment: tuple[str, ...] = field(repr=False)
    refresh: tuple[str, ...] = field(repr=False)

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        """How hypothesis shows it: by name, not with all its statements."""
        printer.text(f"<script of {self.model}>")

    @property
    def select(self) -> str:
        """The query whose result a full refresh makes the table of."""
        for statement in self.first:
            if match := NEW_TABLE.match(statement):
                return match["select"]
        raise AssertionError(f"dbt sent no create table for {self.model}")


def record(project: Project, models: Sequence[str]) -> dict[str, Script]:
    """Let dbt build the models three times: for the first time, incrementally, and anew."""
    first = project.run("run", "--select", *models)
    increment = project.run("run", "--select", *models)
    refresh = project.run("run", "--full-refresh", "--select", *models)
    for outcome in (first, increment, refresh):
        assert outcome.success, outcome.said()
    bookkeeping = tuple(_without_comment(sql) for _, sql in first.statements if "create table if not exists" in sql)
    scripts = {}
    for model in models:
        node = f"model.support_medallion.{model}"
        scripts[model] = Script(
            model, bookkeeping, *(_of_node(each.statements, node) for each in (first, increment, refresh))
        )
        assert any(MERGE.match(sql) for sql in scripts[model].increment), f"{model} was not built incrementally"
    return scripts


@dataclass
class Silver:
    """One Silver table in a warehouse, built by replaying a script."""

    script: Script
    connection: duckdb.DuckDBPyConnection
    is_built: bool = False

    def create_bookkeeping(self) -> None:
        self.connection.execute("create schema if not exists DEF_DB_LOCAL.SILVER")
        for statement in self.script.bookkeeping:
            self.connection.execute(statement)

    def build(self) -> int:
        """Build it as dbt would in its next run, in one transaction; the number of rows the merge wrote."""
        return self._send(self.script.increment if self.is_built else self.script.first)

    def refresh(self) -> None:
        self._send(self.script.refresh if self.is_built else self.script.first)

    def crash(self, after: int) -> None:
        """Build it on an engine without transactions, and die after so many statements."""
        self._send(_bare(self.script.increment)[:after])

    def build_while(self, loading: Callable[[], object], after: int) -> None:
        """Build it on an engine without transactions, with a load that comes in after so many statements."""
        statements = _bare(self.script.increment)
        with self.connection.cursor() as session:
            for statement in statements[:after]:
                session.execute(statement)
            loading()
            for statement in statements[after:]:
                session.execute(statement)

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """What it holds, by key."""
        return self._by_key(f"select * from DEF_DB_LOCAL.SILVER.{self.script.model}")

    def applied_keys(self) -> list[tuple[str, str]]:
        """The keys that are remembered of each batch."""
        keys = "select BATCH_ID, RECORD_KEY from DEF_DB_LOCAL.SILVER.APPLIED_KEYS where MODEL = ? order by all"
        return self.connection.execute(keys, [self.script.model]).fetchall()

    def rebuilt(self) -> dict[str, tuple[Any, ...]]:
        """What a full refresh would make it hold."""
        return self._by_key(self.script.select)

    def _send(self, statements: Sequence[str]) -> int:
        written = 0
        # A session of its own, as a run of dbt has: what is temporary goes with it.
        with self.connection.cursor() as session:
            for statement in statements:
                result = session.execute(statement)
                if MERGE.match(statement):
                    written = result.fetchall()[0][0]
        self.is_built = True
        return written

    def _by_key(self, query: str) -> dict[str, tuple[Any, ...]]:
        relation = self.connection.execute(query)
        names = [column[0].upper() for column in relation.description]
        rows = relation.fetchall()
        key = names.index("RECORD_KEY")
        by_key = {row[key]: tuple(zip(names, row, strict=True)) for row in rows}
        assert len(by_key) == len(rows), f"a key stands in {self.script.model} twice: {rows}"
        return by_key


def _of_node(statements: Sequence[tuple[str, str]], node: str) -> tuple[str, ...]:
    bare = [_without_comment(sql) for sender, sql in statements if sender == node]
    return tuple(sql for sql in bare if KEPT.match(sql))


def _without_comment(sql: str) -> str:
    """A statement without the comment that says who sent it."""
    return re.sub(r"/\* \{.*?\} \*/", "", sql).strip()


def _bare(statements: Sequence[str]) -> list[str]:
    """The statements outside any transaction, each on its own."""
    return [sql for sql in statements if sql.split(maxsplit=1)[0].lower().rstrip(";") not in ("begin", "commit")]
