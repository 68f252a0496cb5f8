"""Bronze on DuckDB: a database is a file, and one transaction takes a batch in."""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from include.bronze.batch import METADATA_COLUMNS, Window
from include.bronze.landing import Landing, Manifest
from include.bronze.ledger import BATCHES, COVERAGE, LEDGER, SCHEMA, Load, batch_row, coverage_rows
from include.bronze.warehouses import Loaded, WarehouseError

_IDENTIFIER = re.compile(r"[A-Z_][A-Z0-9_]{0,250}")


def identifier(name: str) -> str:
    """A name that may stand in SQL: upper-case letters, digits, underscores. Anything else is refused."""
    if not _IDENTIFIER.fullmatch(name):
        raise WarehouseError(f"'{name}' cannot be a table or column name; allowed are A to Z, 0 to 9 and underscores")
    return f'"{name}"'


class DuckDBWarehouse:
    """One client's Bronze schema in one file. Hold the warehouse lock while it is open."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = duckdb.connect(str(file))
        except duckdb.IOException as error:
            raise WarehouseError(f"{file} cannot be opened: {_one_line(error)}") from error
        self._connection.execute("set timezone = 'UTC'")
        self._connection.execute("set preserve_insertion_order = false")

    def close(self) -> None:
        self._connection.close()

    def completed(self, stream: str) -> list[Window]:
        if not self._tables():
            return []
        rows = self._connection.execute(
            f"select window_start, window_end from {SCHEMA}.{BATCHES} where stream = ? order by 1", [stream]
        ).fetchall()
        return [Window(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)) for start, end in rows]

    def prepare(self, table: str, columns: Sequence[str]) -> None:
        self._connection.execute("begin")
        try:
            self._ensure(table, columns)
            self._connection.execute("commit")
        except duckdb.Error as error:
            self._rollback()
            raise WarehouseError(f"{table} could not be prepared: {_one_line(error)}") from error

    def load(self, table: str, columns: Sequence[str], manifest: Manifest, landing: Landing, run_id: str) -> Loaded:
        landing.verify(manifest)
        load = Load(uuid.uuid4().hex, run_id, datetime.now(UTC).isoformat(sep=" ").removesuffix("+00:00"))
        with tempfile.TemporaryDirectory() as folder:
            parts = [landing.fetch(part, folder) for part in manifest.parts]
            self._connection.execute("begin")
            try:
                loaded = self._replace(table, columns, manifest, parts, load)
                self._connection.execute("commit")
            except (duckdb.Error, WarehouseError) as error:
                self._rollback()
                raise WarehouseError(
                    f"batch {manifest.batch_id} was not loaded and {table} is as it was: {_one_line(error)}"
                ) from error
        return loaded

    def _replace(self, table: str, columns: Sequence[str], manifest: Manifest, parts: list[str], load: Load) -> Loaded:
        run = self._connection.execute
        new = self._ensure(table, [*columns, *manifest.columns])
        target = f"{SCHEMA}.{identifier(table)}"
        before = _count(run(f"delete from {target} where batch_id = ?", [manifest.batch_id]))
        rows = 0
        if parts:
            rows = _count(
                run(f"insert into {target} by name select * from read_parquet(?, union_by_name = true)", [parts])
            )
        if rows != manifest.rows:
            raise WarehouseError(f"its parts hold {rows} rows and its manifest says {manifest.rows}")
        for ledger_table, values in ((BATCHES, [batch_row(manifest, load)]), (COVERAGE, coverage_rows(manifest))):
            run(f"delete from {SCHEMA}.{ledger_table} where batch_id = ?", [manifest.batch_id])
            for row in values:
                run(f"insert into {SCHEMA}.{ledger_table} values ({', '.join('?' * len(row))})", list(row))
        return Loaded(manifest.batch_id, load.id, rows, before, tuple(new))

    def _ensure(self, table: str, columns: Sequence[str]) -> list[str]:
        """Make sure the schema, the ledger, the table and every column are there. Says which columns were added."""
        run = self._connection.execute
        run(f"create schema if not exists {SCHEMA}")
        for ledger_table in LEDGER:
            run(f"create table if not exists {SCHEMA}.{ledger_table.name} ({ledger_table.definition})")
        wanted = list(dict.fromkeys([*columns, *METADATA_COLUMNS]))
        existing = self._columns(table)
        if not existing:
            listed = ", ".join(f"{identifier(name)} varchar" for name in wanted)
            run(f"create table {SCHEMA}.{identifier(table)} ({listed})")
            return []
        added = [name for name in wanted if name not in existing]
        for name in added:
            run(f"alter table {SCHEMA}.{identifier(table)} add column {identifier(name)} varchar")
        return added

    def _columns(self, table: str) -> set[str]:
        rows = self._connection.execute(
            "select column_name from duckdb_columns() where database_name = current_database() "
            "and schema_name = ? and table_name = ?",
            [SCHEMA, table],
        ).fetchall()
        return {name for (name,) in rows}

    def _tables(self) -> bool:
        return bool(self._columns(BATCHES))

    def _rollback(self) -> None:
        try:
            self._connection.execute("rollback")
        except duckdb.Error:  # the engine ended the transaction itself, which undid it
            return


def _count(result: duckdb.DuckDBPyConnection) -> int:
    row = result.fetchone()
    return int(row[0]) if row else 0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
