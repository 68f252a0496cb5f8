"""Bronze on DuckDB: a database is a file, and one transaction takes a batch in."""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from include.bronze.batch import Window
from include.bronze.landing import Attempt, Landing, Manifest
from include.bronze.ledger import (
    ATTEMPTS,
    BATCHES,
    COVERAGE,
    LEDGER,
    SCHEMA,
    Load,
    attempt_row,
    batch_row,
    coverage_rows,
    looked_for_at,
)
from include.bronze.warehouses import BronzeTable, HeldError, Known, LedgerRow, Loaded, WarehouseError

_IDENTIFIER = re.compile(r"[A-Z_][A-Z0-9_]{0,250}")

# A directory that lost more records than this since its last reading is more likely a fault than the truth.
GUARD_SHARE, GUARD_LEAST = 0.05, 20


def identifier(name: str) -> str:
    """A name that may stand in SQL: upper-case letters, digits, underscores. Anything else is refused."""
    if not _IDENTIFIER.fullmatch(name):
        raise WarehouseError(f"'{name}' cannot be a table or column name; allowed are A to Z, 0 to 9 and underscores")
    return f'"{name}"'


class DuckDBWarehouse:
    """One client's Bronze schema in one file. Hold the warehouse lock while it is open."""

    def __init__(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = duckdb.connect(str(file))
        except (duckdb.Error, OSError) as error:
            raise WarehouseError(f"{file} cannot be opened: {_one_line(error)}") from error
        self._connection.execute("set timezone = 'UTC'")
        self._connection.execute("set preserve_insertion_order = false")

    def close(self) -> None:
        self._connection.close()

    def completed(self, stream: str) -> list[Window]:
        return [row.window for row in self.ledger() if row.stream == stream]

    def ledger(self) -> list[LedgerRow]:
        if not self._columns(BATCHES):
            return []
        rows = self._connection.execute(
            "select stream, batch_id, attempt, row_count, checksum, window_start, window_end, load_strategy, "
            f"loaded_at, pipeline_run_id from {SCHEMA}.{BATCHES} order by stream, window_start, window_end"
        ).fetchall()
        return [
            LedgerRow(
                stream=stream,
                batch_id=batch_id,
                attempt=attempt,
                rows=count,
                checksum=checksum,
                window=Window(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)),
                strategy=strategy,
                loaded_at=f"{loaded_at:%Y-%m-%d %H:%M:%S}",
                run_id=run_id,
            )
            for stream, batch_id, attempt, count, checksum, start, end, strategy, loaded_at, run_id in rows
        ]

    def counts(self, target: BronzeTable) -> dict[str, int]:
        """How many rows of each batch the table holds."""
        if not self._columns(target.name):
            return {}
        return dict(
            self._connection.execute(
                f"select batch_id, count(*) from {SCHEMA}.{identifier(target.name)} group by 1"
            ).fetchall()
        )

    def known(self, target: BronzeTable) -> dict[str, Known]:
        if not self._columns(target.name):
            return {}
        version = identifier(target.version_stamp) if target.version_stamp else "null"
        rows = self._connection.execute(
            f"""
            with delivered as (
                select record_key, max({version}) as version_stamp, max(date_to_warehouse) as read_at
                from {SCHEMA}.{identifier(target.name)}
                group by record_key
            ),
            gone as (
                select scope, max(observed_at) as observed_at
                from {SCHEMA}.{COVERAGE}
                where stream = ? and outcome = 'gone'
                group by scope
            )
            select record_key, version_stamp, read_at
            from delivered
            left join gone on gone.scope = delivered.record_key
            where gone.observed_at is null or gone.observed_at <= cast(delivered.read_at as timestamp)
            """,
            [target.stream],
        ).fetchall()
        return {key: Known(version_stamp, read_at) for key, version_stamp, read_at in rows}

    def prepare(self, target: BronzeTable) -> None:
        with self._transaction(f"{target.name} could not be prepared"):
            self._ensure(target.name, target.columns)

    def record_attempts(self, attempts: Sequence[Attempt]) -> None:
        run = self._connection.execute
        with self._transaction(f"{ATTEMPTS} could not be written"):
            self._ensure_ledger()
            for name in dict.fromkeys(attempt.name for attempt in attempts):
                run(f"delete from {SCHEMA}.{ATTEMPTS} where attempt = ?", [name])
            self._insert(ATTEMPTS, [attempt_row(attempt) for attempt in attempts])

    def load(self, target: BronzeTable, manifest: Manifest, landing: Landing, run_id: str) -> Loaded:
        landing.verify(manifest)
        load = Load(uuid.uuid4().hex, run_id, datetime.now(UTC).isoformat(sep=" ").removesuffix("+00:00"))
        with tempfile.TemporaryDirectory() as folder:
            parts = [landing.fetch(part, folder) for part in manifest.parts]
            with self._transaction(f"batch {manifest.batch_id} was not loaded and {target.name} is as it was"):
                return self._replace(target, manifest, parts, load, approved=landing.is_approved(manifest))

    @contextmanager
    def _transaction(self, otherwise: str) -> Iterator[None]:
        """All of a block or nothing of it, with a sentence on what did not happen."""
        self._connection.execute("begin")
        try:
            yield
            self._connection.execute("commit")
        except HeldError:
            self._rollback()
            raise
        except (duckdb.Error, WarehouseError) as error:
            self._rollback()
            raise WarehouseError(f"{otherwise}: {_one_line(error)}") from error

    def _replace(
        self, target: BronzeTable, manifest: Manifest, parts: list[str], load: Load, *, approved: bool
    ) -> Loaded:
        run = self._connection.execute
        new = self._ensure(target.name, [*target.columns, *manifest.columns])
        table = f"{SCHEMA}.{identifier(target.name)}"
        if target.is_directory and not approved:
            self._guard(target, manifest, parts)
        if target.replaces_everything:
            before = _count(run(f"delete from {table}"))
            run(f"delete from {SCHEMA}.{COVERAGE} where stream = ?", [manifest.stream])
            run(f"delete from {SCHEMA}.{BATCHES} where stream = ?", [manifest.stream])
        else:
            before = _count(run(f"delete from {table} where batch_id = ?", [manifest.batch_id]))
        rows = 0
        if parts:
            rows = _count(
                run(f"insert into {table} by name select * from read_parquet(?, union_by_name = true)", [parts])
            )
        if rows != manifest.rows:
            raise WarehouseError(f"its parts hold {rows} rows and its manifest says {manifest.rows}")
        coverage = coverage_rows(manifest)
        if not target.is_child:
            # A record that is gone takes its children along: for them, their parent was looked for in vain.
            gone = [(scope.scope, str(scope.observed_at)) for scope in manifest.coverage if scope.outcome == "gone"]
            coverage += _gone(target.children, manifest.batch_id, gone)
        if target.buries:
            # What this stream reports as gone is, for the streams it reports on, a record somebody looked for in vain.
            went_at = identifier(target.buried_at) if target.buried_at else "null"
            reported = run(
                f"select record_key, date_to_warehouse, {went_at} from {table} where batch_id = ?", [manifest.batch_id]
            ).fetchall()
            buried = sorted((key, looked_for_at(read_at, deleted_at)) for key, read_at, deleted_at in reported)
            coverage += _gone(target.buries, manifest.batch_id, dict(buried).items())
        for ledger_table, values in ((BATCHES, [batch_row(manifest, load)]), (COVERAGE, coverage)):
            run(f"delete from {SCHEMA}.{ledger_table} where batch_id = ?", [manifest.batch_id])
            self._insert(ledger_table, values)
        return Loaded(manifest.batch_id, load.id, rows, before, tuple(new))

    def _guard(self, target: BronzeTable, manifest: Manifest, parts: list[str]) -> None:
        """Refuse a directory that has lost more records than is plausible since it was last read."""
        run = self._connection.execute
        row = run(
            f"select batch_id from {SCHEMA}.{COVERAGE} where stream = ? and scope = '*' and batch_id <> ? "
            "order by observed_at desc limit 1",
            [manifest.stream, manifest.batch_id],
        ).fetchone()
        if row is None:
            return
        held = f"select distinct record_key from {SCHEMA}.{identifier(target.name)} where batch_id = ?"
        alive = _count(run(f"select count(*) from ({held})", [row[0]]))
        missing = alive
        if parts:
            delivered = "select record_key from read_parquet(?)"
            lacking = f"select count(*) from ({held}) where record_key not in ({delivered})"
            missing = _count(run(lacking, [row[0], parts]))
        if missing > max(GUARD_LEAST, GUARD_SHARE * alive):
            raise HeldError(
                f"batch {manifest.batch_id} no longer holds {missing} of the {alive} records {target.name} had; it is "
                "landed and not applied. If that is right, run: "
                f"python -m include.bronze approve {manifest.batch_id}"
            )

    def _insert(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows of text and numbers, however many, in one statement."""
        columns = list(zip(*rows, strict=True))
        if not columns:
            return
        values = pa.table([pa.array(column) for column in columns], names=[f"c{i}" for i in range(len(columns))])
        self._connection.register("ledger_rows", values)
        try:
            self._connection.execute(f"insert into {SCHEMA}.{table} select * from ledger_rows")
        finally:
            self._connection.unregister("ledger_rows")

    def _ensure(self, table: str, columns: Sequence[str]) -> list[str]:
        """Make sure the schema, the ledger, the table and every column are there. Says which columns were added."""
        run = self._connection.execute
        self._ensure_ledger()
        wanted = list(dict.fromkeys(columns))
        existing = self._columns(table)
        if not existing:
            listed = ", ".join(f"{identifier(name)} varchar" for name in wanted)
            run(f"create table {SCHEMA}.{identifier(table)} ({listed})")
            return []
        added = [name for name in wanted if name not in existing]
        for name in added:
            run(f"alter table {SCHEMA}.{identifier(table)} add column {identifier(name)} varchar")
        return added

    def _ensure_ledger(self) -> None:
        self._connection.execute(f"create schema if not exists {SCHEMA}")
        for table in LEDGER:
            self._connection.execute(f"create table if not exists {SCHEMA}.{table.name} ({table.definition})")

    def _columns(self, table: str) -> set[str]:
        rows = self._connection.execute(
            "select column_name from duckdb_columns() where database_name = current_database() "
            "and schema_name = ? and table_name = ?",
            [SCHEMA, table],
        ).fetchall()
        return {name for (name,) in rows}

    def _rollback(self) -> None:
        try:
            self._connection.execute("rollback")
        except duckdb.Error:  # the engine ended the transaction itself, which undid it
            return


def _gone(streams: Sequence[str], batch_id: str, keys: Iterable[tuple[str, str]]) -> list[tuple[object, ...]]:
    return [
        (stream, batch_id, key, "gone", at.removesuffix("Z").removesuffix("+00:00"), 0)
        for key, at in keys
        for stream in streams
    ]


def _count(result: duckdb.DuckDBPyConnection) -> int:
    row = result.fetchone()
    return int(row[0]) if row else 0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
