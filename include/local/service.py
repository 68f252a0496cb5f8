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
from typing import TYPE_CHECKING

from include.local.keeper import end_with_parent

if TYPE_CHECKING:
    from airflow.models.dagbag import DBDagBag
    from airflow.serialization.definitions.dag import SerializedDAG
    from sqlalchemy.orm import Session

# What reading a DAG file imports: as much as half of what it costs.
READING = (
    "airflow.sdk.definitions.decorators",
    "cosmos.airflow.task_group",
    "cosmos.operators.local",
    "cosmos.profiles",
    "pydantic",
    "requests",
    "yaml",
)
LIBRARIES = {
    "dag-processor": READING,
    "scheduler": (*READING, "dbt.cli.main", "dbt.adapters.duckdb", "duckdb", "pyarrow.parquet"),
}


def use_the_cache() -> None:
    """Let the API server find a DAG's latest version in Airflow's own cache.

    Airflow 3.3 reads the DAG from its database again for every task that is closed in bulk, and there are 280 of dbt
    (docs/adr/051-what-a-night-costs.md). The cache itself asks whether a version is still what it was.
    """
    from airflow.models import dagbag
    from airflow.models.dag_version import DagVersion

    def latest(bag: DBDagBag, dag_id: str, *, session: Session) -> SerializedDAG | None:
        version = DagVersion.get_latest_version(dag_id, session=session)
        return bag.get_dag(version.id, session) if version else None

    dagbag.DBDagBag.get_latest_version_of_dag = latest  # type: ignore[assignment, method-assign]


def main() -> None:
    # Whatever this service forks (workers, tasks, parsers) ends with its parent, even one that is killed.
    os.register_at_fork(after_in_child=lambda: end_with_parent(signal.SIGKILL))
    for library in LIBRARIES.get(sys.argv[1], ()):
        importlib.import_module(library)
    if sys.argv[1] == "api-server":
        use_the_cache()
    from airflow.__main__ import main as airflow

    sys.argv[0] = "airflow"
    airflow()  # type: ignore[no-untyped-call]  # Airflow's entry point has no annotations


if __name__ == "__main__":
    main()
