"""The whole warehouse without dbt: the very statements dbt sends into an empty one, sent again over another world's Bronze.

A build by dbt costs most of half a minute, of which the engine has a few seconds. So one world is built by dbt, and the
others by what dbt sent for it; that both give the same is a test of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

CLIENTS = ("DEF", "CORE")
# What makes a model: its table or view, and the name it is given in the end. The rest are Silver's books and comments.
MAKES = re.compile(r"\s*(create\s+(table|view)|alter\s+(table|view)\s+\S+\s+rename\s+to)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Recording:
    """Every statement that makes a model, in the order they were sent, and the file with the tables made of seeds."""

    statements: tuple[str, ...]
    seeds: tuple[str, ...]
    seeds_in: Path

    @classmethod
    def of(cls, statements: Sequence[tuple[str, str]], warehouse: Path) -> Recording:
        """What a build has sent into an empty warehouse, each statement with the node that sent it."""
        seeds = sorted({node.rsplit(".", 1)[1] for node, _ in statements if node.startswith("seed.")})
        making = tuple(sql for node, sql in statements if node.startswith("model.") and MAKES.match(sql))
        return cls(making, tuple(seeds), warehouse / "CORE_DB_LOCAL.duckdb")

    def replay(self, warehouse: Path) -> duckdb.DuckDBPyConnection:
        """A warehouse in memory, over the Bronze in a folder's files."""
        connection = duckdb.connect()
        for client in CLIENTS:
            name = f"{client}_DB_LOCAL"
            connection.execute(f"attach ':memory:' as {name}")
            for schema in ("BRONZE", "SILVER", "GOLD"):
                connection.execute(f"create schema {name}.{schema}")
            _copy(connection, warehouse / f"{name}.duckdb", f"{name}.BRONZE")
        _copy(connection, self.seeds_in, "CORE_DB_LOCAL.SILVER", self.seeds)
        for statement in self.statements:
            connection.execute(statement)
        connection.execute("use DEF_DB_LOCAL.GOLD")
        return connection


def _copy(connection: duckdb.DuckDBPyConnection, file: Path, into: str, only: Sequence[str] = ()) -> None:
    """Copy the tables of a schema, or some of them, out of a file."""
    schema = into.rsplit(".", 1)[1]
    connection.execute(f"attach '{file}' as copied (read_only)")
    found = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'copied' and upper(schema_name) = ?", [schema]
    ).fetchall()
    for (table,) in found:
        if not only or table in only:
            connection.execute(f"create table {into}.{table} as from copied.{schema}.{table}")
    connection.execute("detach copied")
