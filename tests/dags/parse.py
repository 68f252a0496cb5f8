"""Parse a DAGs folder as Airflow's DAG processor would and write down what it saw, as JSON.

    python -m tests.dags.parse DAGS_FOLDER OUTPUT

In a process of its own, because everything a DAG file might reach out to while it is parsed is cut off here: the
network, other processes, databases, files opened for writing, Variables and Connections. Each attempt is written down
with the line that made it, and fails.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

# How long it takes to count so far where nothing else runs. A machine that is shared counts more slowly, and parses so.
COUNTED, COUNTED_IN = 3_000_000, 0.15
ROUNDS = 3  # of which the quickest counts
# Making a folder is left: Cosmos makes its cache when it is handed a project.
CUT_OFF = {
    "socket.connect": "opens a network connection",
    "socket.getaddrinfo": "looks a host name up",
    "subprocess.Popen": "starts a process",
    "os.system": "starts a process",
    "os.posix_spawn": "starts a process",
    "sqlite3.connect": "opens a database",
    "os.remove": "removes a file",
    "os.rename": "renames a file",
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Attempts:
    """What was tried while a file of the folder was on the stack."""

    def __init__(self, folder: Path) -> None:
        self.folder = f"{folder}{os.sep}"
        self.made: dict[str, list[str]] = {}

    def refuse(self, what: str) -> None:
        for frame in reversed(traceback.extract_stack()):
            if frame.filename.startswith(self.folder):
                name = frame.filename.removeprefix(self.folder)
                lines = self.made.setdefault(name, [])
                if (line := f"line {frame.lineno} {what}") not in lines:
                    lines.append(line)
                raise PermissionError(f"{name} {what} while it is parsed")

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event in CUT_OFF:
            self.refuse(CUT_OFF[event])
        elif event == "open" and isinstance(args[2], int) and args[2] & WRITING:
            self.refuse("opens a file for writing")

    def instead_of(self, what: str) -> Callable[..., None]:
        return lambda *_args, **_named: self.refuse(what)


def calls_without_schedule(path: Path) -> list[int]:
    """Lines that make a DAG and leave its schedule to a default."""
    makers = ("DAG", "dag", "DbtDag")
    lines = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in makers and "schedule" not in {keyword.arg for keyword in node.keywords}:
                lines.append(node.lineno)
        elif isinstance(node, ast.FunctionDef) and any(
            getattr(each, "id", "") == "dag" for each in node.decorator_list
        ):
            lines.append(node.lineno)  # a bare @dag
    return lines


def slowness() -> float:
    """How many times as long as usual this machine takes for the same work, at least once."""
    begun = time.process_time()
    counted = 0
    while counted < COUNTED:
        counted += 1
    return max((time.process_time() - begun) / COUNTED_IN, 1.0)


def main(folder: Path, output: Path) -> None:
    import duckdb
    from airflow.configuration import conf
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager
    from airflow.sdk.execution_time import context
    from airflow.utils.dag_version_inflation_checker import check_dag_file_stability
    from airflow.utils.file import list_py_file_paths, might_contain_dag

    attempts = Attempts(folder)
    duckdb.connect = attempts.instead_of("opens a DuckDB file")
    for name in ("_get_variable", "_set_variable"):
        setattr(context, name, attempts.instead_of("uses a Variable"))
    for name in ("_get_connection", "_async_get_connection"):
        setattr(context, name, attempts.instead_of("uses a Connection"))
    sys.addaudithook(attempts.audit)

    bag = DagBag(dag_folder=str(folder))
    cold = {stat.file: stat.duration.total_seconds() for stat in bag.dagbag_stats}
    warm: dict[str, float] = {}
    for _ in range(ROUNDS):
        slow = slowness()
        begun, worked = time.perf_counter(), time.process_time()
        bag.collect_dags(str(folder), only_if_updated=False)
        # A busy machine makes Airflow's figures longer; what counts is how much of that time this process worked, and
        # how fast it could.
        busy = min((time.process_time() - worked) / (time.perf_counter() - begun), 1.0)
        share = busy / max(slow, slowness())
        for stat in bag.dagbag_stats:
            seconds = share * stat.duration.total_seconds()
            warm[stat.file] = min(seconds, warm.get(stat.file, seconds))

    files = []
    for path in sorted(Path(found) for found in list_py_file_paths(str(folder), safe_mode=False)):
        name = path.relative_to(folder).as_posix()
        stability = check_dag_file_stability(str(path))
        files.append(
            {
                "name": name,
                "seen_by_airflow": might_contain_dag(str(path), safe_mode=True),
                "import_error": bag.import_errors.get(str(path)) or bag.import_errors.get(name),
                "cold_seconds": cold.get(name),
                "warm_seconds": warm.get(name),
                "attempts": attempts.made.get(name, []),
                "varies": stability.format_warnings(),
                "unscheduled_lines": calls_without_schedule(path),
                "dags": [
                    {
                        "dag_id": dag.dag_id,
                        "tags": sorted(dag.tags),
                        "doc_md": dag.doc_md,
                        "tasks": [
                            {
                                "task_id": task.task_id,
                                "owner": task.owner,
                                "retries": task.retries,
                                "has_a_retry_policy": task.retry_policy is not None,
                                "upstream": sorted(task.upstream_task_ids),
                            }
                            for task in dag.tasks
                        ],
                    }
                    for dag in bag.dags.values()
                    if dag.fileloc == str(path)
                ],
            }
        )
    with _airflow_parsing_context_manager(dag_id="any", task_id="plan"):
        seen_by_a_task = DagBag(dag_folder=str(folder))
    default_owner = conf.get("operators", "default_owner")
    output.write_text(
        json.dumps(
            {
                "default_owner": default_owner,
                "files": files,
                "seen_by_a_task": {
                    dag.dag_id: {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}
                    for dag in seen_by_a_task.dags.values()
                },
            }
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
