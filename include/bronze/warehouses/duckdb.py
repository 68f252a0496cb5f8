"""Bronze on DuckDB: a database is a file, and one transaction takes a batch in, new columns included."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from include.bronze.landing import Landing, Manifest
from include.bronze.warehouses import BronzeTable, WarehouseError
from include.bronze.warehouses.sql import SqlWarehouse, one_line

# Left to itself DuckDB takes up to four fifths of the machine's memory and every core, beside dbt and Airflow. A load
# is a copy: with this little it spills to disk beside the database, takes somewhat more of the processor's time, and
# loads a million messages in a quarter of the memory (benchmarks/bronze_scale.py). A second thread would want its share
# of that, and spill more.
MEMORY = "150MB"
THREADS = 1


class DuckDBWarehouse(SqlWarehouse):
    """One client's Bronze schema in one file. Hold the warehouse lock while it is open."""

    errors = (duckdb.Error,)

    def __init__(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = duckdb.connect(str(file))
        except (duckdb.Error, OSError) as error:
            raise WarehouseError(f"{file} cannot be opened: {one_line(error)}") from error
        self._connection.execute(f"set memory_limit = '{MEMORY}'; set threads = {THREADS}")
        self._connection.execute("set timezone = 'UTC'")
        self._connection.execute("set preserve_insertion_order = false")

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
