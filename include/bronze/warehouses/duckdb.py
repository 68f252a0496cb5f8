"""Bronze on DuckDB: a database is a file, and one transaction takes a batch in, new columns included."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from include.bronze.landing import Landing, Manifest
from include.bronze.warehouses import BronzeTable, Loaded, WarehouseError
from include.bronze.warehouses.sql import SqlWarehouse, one_line

log = logging.getLogger(__name__)

# Left to itself DuckDB takes up to four fifths of the machine's memory and every core, beside dbt and Airflow. A load
# is a copy, for which this little is enough (docs/adr/052): what does not fit goes to disk beside the database. A
# second thread would want its share of it.
MEMORY = "70MB"
THREADS = 1
# Rows that DuckDB collects before it writes them. Of tickets of several kilobytes its own number, fifteen times this,
# does not fit into memory, and is written to the log first and then once more into the file.
ROW_GROUP = 8192


class DuckDBWarehouse(SqlWarehouse):
    """One client's Bronze schema in one file. Hold the warehouse lock while it is open."""

    errors = (duckdb.Error,)

    def __init__(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = duckdb.connect()
            # Before anything can need it: it cannot be moved any more once it was used.
            self._connection.execute(f"set temp_directory = {_literal(file.with_suffix('.tmp'))}")
            self._connection.execute(f"attach {_literal(file)} as bronze_file (row_group_size {ROW_GROUP})")
            # A task that built ended without closing its file. What it left in the log is in memory now, and may be
            # more than the limit below.
            self._connection.execute("checkpoint bronze_file")
        except (duckdb.Error, OSError) as error:
            raise WarehouseError(f"{file} cannot be opened: {one_line(error)}") from error
        self._connection.execute("use bronze_file")
        self._connection.execute(f"set memory_limit = '{MEMORY}'; set threads = {THREADS}")
        self._connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
        self._connection.execute("set preserve_insertion_order = false")

    def load(self, target: BronzeTable, manifest: Manifest, landing: Landing, run_id: str) -> Loaded:
        try:
            return super().load(target, manifest, landing, run_id)
        except WarehouseError as error:
            if not _out_of_memory(error):
                raise
        log.info("%s needs more memory than %s; once more with what the machine has", manifest.batch_id, MEMORY)
        self._connection.execute("reset memory_limit")
        return super().load(target, manifest, landing, run_id)

    def close(self) -> None:
        self._connection.close()

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def _change(self, sql: str, values: Sequence[object] = ()) -> int:
        rows = self._connection.execute(sql, values).fetchall()
        return int(rows[0][0]) if rows else 0

    def _insert(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        columns = list(zip(*rows, strict=True))
        if not columns:
            return
        values = pa.table([pa.array(column) for column in columns], names=[f"c{i}" for i in range(len(columns))])
        self._connection.register("ledger_rows", values)
        try:
            self._connection.execute(f"insert into {self.schema}.{table} select * from ledger_rows")
        finally:
            self._connection.unregister("ledger_rows")

    @contextmanager
    def _fetched(self, _target: BronzeTable, manifest: Manifest, landing: Landing) -> Iterator[list[str]]:
        with tempfile.TemporaryDirectory() as folder:
            yield [landing.fetch(part, folder) for part in manifest.parts]

    def _copy(self, target: BronzeTable, fetched: list[str]) -> int:
        return self._change(
            f"insert into {self._table(target.name)} by name select * from read_parquet(?, union_by_name = true)",
            [fetched],
        )

    def _begin(self, ddl: Callable[[], list[str]]) -> list[str]:
        self._change("begin")
        return ddl()


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _out_of_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, duckdb.OutOfMemoryException):
            return True
        error = error.__cause__
    return False
