"""One Airflow service of the local stack: Airflow's own command, with the heavy libraries loaded beforehand.

Scheduler and DAG processor fork a process for every task and every parse. What is loaded before the fork is loaded
once; otherwise each of them spends seconds on importing Cosmos and dbt. Only libraries, never the project's own code:
an edit must be seen by the next task.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys

from include.local.keeper import end_with_parent

LIBRARIES = {
    "dag-processor": ("cosmos", "pydantic", "yaml"),
    "scheduler": (
        "cosmos",
        "cosmos.operators.local",
        "dbt.cli.main",
        "dbt.adapters.duckdb",
        "duckdb",
        "pyarrow.parquet",
    ),
}


def main() -> None:
    # Whatever this service forks (workers, tasks, parsers) ends with its parent, even one that is killed.
    os.register_at_fork(after_in_child=lambda: end_with_parent(signal.SIGKILL))
    for library in LIBRARIES.get(sys.argv[1], ()):
        importlib.import_module(library)
    from airflow.__main__ import main as airflow

    sys.argv[0] = "airflow"
    airflow()  # type: ignore[no-untyped-call]  # Airflow's entry point has no annotations


if __name__ == "__main__":
    main()
