"""Load replies of Pylon into DuckDB by dlt, and print what that took, as JSON.

    python benchmarks/peers/load_by_dlt.py PAGES FOLDER FORMAT

PAGES is a folder of replies, one in each file; FOLDER is where dlt keeps its work and the database; FORMAT is how it
hands rows to DuckDB: insert_values, as it does unless told otherwise, or parquet, which is faster.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGES, FOLDER, FORMAT = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
# What dlt's page on performance advises where memory is there: write in larger pieces. More processes to normalise were
# tried, and made it slower on two cores. It reads these when it is imported.
os.environ |= {
    "DLT_DATA_DIR": str(FOLDER / "dlt"),
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "5000",
    "DATA_WRITER__FILE_MAX_ITEMS": "20000",
}

import dlt  # noqa: E402
import duckdb  # noqa: E402
import orjson  # noqa: E402


@dlt.resource(name="issues", write_disposition="merge", primary_key="id", max_table_nesting=0)
def issues() -> Iterator[list[dict[str, Any]]]:
    """A page at a time, as a list: row by row is slower."""
    for path in sorted(PAGES.iterdir()):
        yield orjson.loads(path.read_bytes())["data"]


def main() -> None:
    """Load once."""
    database = FOLDER / "issues.duckdb"
    pipeline = dlt.pipeline("benchmark", destination=dlt.destinations.duckdb(str(database)), dataset_name="bronze")
    before, started = os.times(), time.perf_counter()
    pipeline.run(issues(), loader_file_format=FORMAT)
    seconds, after = time.perf_counter() - started, os.times()
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute("select count(*) from bronze.issues").fetchall()[0][0]
    took = {"rows": rows, "seconds": seconds, "cpu": sum(after[:4]) - sum(before[:4])}
    print(json.dumps({**took, "versions": {"dlt": dlt.__version__, "duckdb of dlt": duckdb.__version__}}))


if __name__ == "__main__":
    main()
