"""What every engine has in common: the tables, the ledger, and the one transaction that takes a batch in.

An engine says how it sends SQL, how it reads landed parts, and when its DDL may run. Statements are written so that
every engine reads them alike: names of tables and columns are upper case and quoted, values are bound.
"""

from __future__ import annotations

import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

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


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class SqlWarehouse(ABC):
    """One client's Bronze schema, on an engine that speaks SQL."""

    # what the engine raises
    errors: tuple[type[Exception], ...]
    # a smoke run has one of its own
    schema: str = SCHEMA

    def _table(self, name: str) -> str:
        """A Bronze table's name in SQL."""
        return f"{self.schema}.{identifier(name)}"

    @abstractmethod
    def close(self) -> None:
        """Let go of the engine."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""

    @abstractmethod
    def _change(self, sql: str, values: Sequence[object] = ()) -> int:
        """Send a statement; how many rows it changed."""

    @abstractmethod
    def _insert(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        """Insert rows of text and numbers, however many, into a ledger table."""

    @abstractmethod
    def _fetched(self, target: BronzeTable, manifest: Manifest, landing: Landing) -> AbstractContextManager[Any]:
        """The parts of a batch where the engine can read them, for as long as they are needed."""

    @abstractmethod
    def _copy(self, target: BronzeTable, fetched: Any) -> int:
        """Copy those parts into the table, columns by name; how many rows they held."""

    @abstractmethod
    def _begin(self, ddl: Callable[[], list[str]]) -> list[str]:
        """Begin a transaction, with what it needs of DDL inside it or before it."""

    def _explain(self, error: Exception) -> str:
        """An engine's error as one sentence."""
        return one_line(error)

    def completed(self, stream: str) -> list[Window]:
        return [row.window for row in self.ledger() if row.stream == stream]

    def ledger(self) -> list[LedgerRow]:
        if not self._columns(BATCHES):
            return []
        rows = self._rows(
            "select stream, batch_id, attempt, row_count, checksum, window_start, window_end, load_strategy, "
            f"loaded_at, pipeline_run_id from {self.schema}.{BATCHES} order by stream, window_start, window_end"
        )
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

    def counts(self, target: BronzeTable, batch_ids: Collection[str] | None = None) -> dict[str, int]:
        """How many rows of each batch, or of some, the table holds."""
        wanted = sorted(batch_ids or ())
        if not self._columns(target.name) or (batch_ids is not None and not wanted):
            return {}
        some = f" where batch_id in ({', '.join('?' for _ in wanted)})" if wanted else ""
        rows = self._rows(f"select batch_id, count(*) from {self._table(target.name)}{some} group by 1", wanted)
        return {str(batch_id): int(count) for batch_id, count in rows}

    def known(self, target: BronzeTable) -> dict[str, Known]:
        if not self._columns(target.name):
            return {}
        version = identifier(target.version_stamp) if target.version_stamp else "null"
        rows = self._rows(
            f"""
            with delivered as (
                select record_key, max({version}) as version_stamp, max(date_to_warehouse) as read_at
                from {self._table(target.name)}
                group by record_key
            ),
            gone as (
                select scope, max(observed_at) as observed_at
                from {self.schema}.{COVERAGE}
                where stream = ? and outcome = 'gone'
                group by scope
            )
            select record_key, version_stamp, read_at
            from delivered
            left join gone on gone.scope = delivered.record_key
            where gone.observed_at is null or gone.observed_at <= cast(delivered.read_at as timestamp)
            """,
            [target.stream],
        )
        return {key: Known(version_stamp, read_at) for key, version_stamp, read_at in rows}

    def prepare(self, target: BronzeTable) -> None:
        with self._transaction(
            f"{target.name} could not be prepared", lambda: self._ensure(target.name, target.columns)
        ):
            pass

    def record_attempts(self, attempts: Sequence[Attempt]) -> None:
        with self._transaction(f"{ATTEMPTS} could not be written", self._ensure_ledger):
            for name in dict.fromkeys(attempt.name for attempt in attempts):
                self._change(f"delete from {self.schema}.{ATTEMPTS} where attempt = ?", [name])
            self._insert(ATTEMPTS, [attempt_row(attempt) for attempt in attempts])

    def load(self, target: BronzeTable, manifest: Manifest, landing: Landing, run_id: str) -> Loaded:
        landing.verify(manifest)
        load = Load(uuid.uuid4().hex, run_id, datetime.now(UTC).isoformat(sep=" ").removesuffix("+00:00"))
        otherwise = f"batch {manifest.batch_id} was not loaded and {target.name} is as it was"
        columns = [*target.columns, *manifest.columns]
        delivered = None if not target.is_directory or landing.is_approved(manifest) else landing.keys(manifest)
        try:
            with (
                self._fetched(target, manifest, landing) as fetched,
                self._transaction(otherwise, lambda: self._ensure(target.name, columns)) as new,
            ):
                if delivered is not None:
                    self._guard(target, manifest, delivered)
                rows, before = self._replace(target, manifest, fetched, load)
        except self.errors as error:
            raise WarehouseError(f"{otherwise}: {self._explain(error)}") from error
        return Loaded(manifest.batch_id, load.id, rows, before, tuple(new))

    @contextmanager
    def _transaction(self, otherwise: str, ddl: Callable[[], list[str]]) -> Iterator[list[str]]:
        """All of a block or nothing of it, with a sentence on what did not happen. Gives what its DDL added."""
        try:
            yield self._begin(ddl)
        except Exception as error:
            self._roll_back()
            if isinstance(error, (*self.errors, WarehouseError)) and not isinstance(error, HeldError):
                raise WarehouseError(f"{otherwise}: {self._explain(error)}") from error
            raise
        except BaseException:
            self._roll_back()
            raise
        self._commit(otherwise)

    def _commit(self, otherwise: str) -> None:
        try:
            self._change("commit")
        except self.errors as error:
            self._roll_back()
            raise WarehouseError(f"{otherwise}: {self._explain(error)}") from error

    def _roll_back(self) -> None:
        try:
            self._change("rollback")
        except self.errors:  # the engine ended the transaction itself, which undid it
            return

    def _replace(self, target: BronzeTable, manifest: Manifest, fetched: Any, load: Load) -> tuple[int, int]:
        """Put a batch in the place of what is there of it; how many rows there are now, and were before."""
        table = self._table(target.name)
        if target.replaces_everything:
            before = self._change(f"delete from {table}")
            self._change(f"delete from {self.schema}.{COVERAGE} where stream = ?", [manifest.stream])
            self._change(f"delete from {self.schema}.{BATCHES} where stream = ?", [manifest.stream])
        else:
            before = self._change(f"delete from {table} where batch_id = ?", [manifest.batch_id])
        rows = self._copy(target, fetched) if manifest.parts else 0
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
            reported = self._rows(
                f"select record_key, date_to_warehouse, {went_at} from {table} where batch_id = ?", [manifest.batch_id]
            )
            buried = sorted((key, looked_for_at(read_at, deleted_at)) for key, read_at, deleted_at in reported)
            coverage += _gone(target.buries, manifest.batch_id, dict(buried).items())
        for ledger_table, values in ((BATCHES, [batch_row(manifest, load)]), (COVERAGE, coverage)):
            self._change(f"delete from {self.schema}.{ledger_table} where batch_id = ?", [manifest.batch_id])
            self._insert(ledger_table, values)
        return rows, before

    def _guard(self, target: BronzeTable, manifest: Manifest, delivered: Iterable[str]) -> None:
        """Refuse a directory that has lost more records than is plausible since it was last read."""
        previous = self._rows(
            f"select batch_id from {self.schema}.{COVERAGE} where stream = ? and scope = '*' and batch_id <> ? "
            "order by observed_at desc limit 1",
            [manifest.stream, manifest.batch_id],
        )
        if not previous:
            return
        held = self._rows(
            f"select distinct record_key from {self._table(target.name)} where batch_id = ?", [previous[0][0]]
        )
        alive = {key for (key,) in held}
        missing = alive.difference(delivered)
        if len(missing) > max(GUARD_LEAST, GUARD_SHARE * len(alive)):
            raise HeldError(
                f"batch {manifest.batch_id} no longer holds {len(missing)} of the {len(alive)} records {target.name} "
                "had; it is landed and not applied. If that is right, run: "
                f"python -m include.bronze approve {manifest.batch_id}"
            )

    def _ensure(self, table: str, columns: Sequence[str]) -> list[str]:
        """Make sure the schema, the ledger, the table and every column are there. Says which columns were added."""
        self._ensure_ledger()
        wanted = list(dict.fromkeys(columns))
        existing = self._columns(table)
        if not existing:
            listed = ", ".join(f"{identifier(name)} varchar" for name in wanted)
            self._change(f"create table {self._table(table)} ({listed})")
            return []
        added = [name for name in wanted if name not in existing]
        for name in added:
            self._change(f"alter table {self._table(table)} add column {identifier(name)} varchar")
        return added

    def _ensure_ledger(self) -> list[str]:
        self._change(f"create schema if not exists {self.schema}")
        for table in LEDGER:
            self._change(f"create table if not exists {self.schema}.{table.name} ({table.definition})")
        return []

    def _columns(self, table: str) -> set[str]:
        rows = self._rows(
            "select column_name from information_schema.columns "
            "where table_catalog = current_database() and table_schema = ? and table_name = ?",
            [self.schema, table],
        )
        return {name for (name,) in rows}


def _gone(streams: Sequence[str], batch_id: str, keys: Iterable[tuple[str, str]]) -> list[tuple[object, ...]]:
    return [
        (stream, batch_id, key, "gone", at.removesuffix("Z").removesuffix("+00:00"), 0)
        for key, at in keys
        for stream in streams
    ]
