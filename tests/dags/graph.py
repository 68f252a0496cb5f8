"""The graph of a DAG as a text people can read: one line per task, and what it waits for.

python -m tests.dags.graph            writes the files in tests/dags/graphs anew, from the DAGs as they are
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.orchestration import manifest
from include.settings import load_settings
from tests.dags.contract import ROOT, Facts, parse

GRAPHS = ROOT / "tests" / "dags" / "graphs"
# DAG → the selector it draws
DRAWN = {"core_reference": "reference", "def_support": "client_def"}

Graph = dict[str, frozenset[str]]


def drawn(facts: Facts, dag_id: str) -> Graph:
    """Each task of a DAG with the tasks it waits for, as Airflow has them."""
    (dag,) = (dag for file in facts["files"] for dag in file["dags"] if dag["dag_id"] == dag_id)
    return {task["task_id"]: frozenset(task["upstream"]) for task in dag["tasks"]}


def by_refs(nodes: Mapping[str, Mapping[str, Any]]) -> Graph:
    """What dbt's own references say the dbt tasks are and wait for.

    A model is built when its parents are built and tested; its own tests come after it, and a test of several relations
    after all of them that are built here. What is made of all of those waits for that test too, as in dbt's own build.
    Everything waits for `build`, which does the work first.
    """
    tests = {uid: node["depends_on"]["nodes"] for uid, node in nodes.items() if node["resource_type"] == "test"}
    tested = {parents[0] for parents in tests.values() if len(parents) == 1}

    def task(uid: str, does: str) -> str:
        return f"dbt.{uid.split('.')[2]}{'.' if uid in tested else '_'}{does}"

    def waits(parents: list[str]) -> frozenset[str]:
        done = (task(uid, "test" if uid in tested else verb(uid)) for uid in parents if uid in nodes)
        return frozenset({"build", *done})

    def verb(uid: str) -> str:
        return {"model": "run"}.get(nodes[uid]["resource_type"], nodes[uid]["resource_type"])

    graph: Graph = {}
    for uid, node in nodes.items():
        parents = node["depends_on"].get("nodes", [])  # a seed has none
        if uid not in tests:
            graph[task(uid, verb(uid))] = waits(parents)
            if uid in tested:
                graph[task(uid, "test")] = frozenset({"build", task(uid, verb(uid))})
        elif len(parents) > 1:
            graph[task(uid, "test")] = waits(parents)

    def made_of(uid: str) -> set[str]:
        parents = nodes[uid]["depends_on"].get("nodes", []) if uid in nodes else []
        return set(parents).union(*map(made_of, parents))

    origins = {uid: made_of(uid) for uid in nodes if uid not in tests}
    for uid, parents in tests.items():
        later = {one for one, origin in origins.items() if len(parents) > 1 and set(parents) <= origin}
        for first in (one for one in later if not origins[one] & later):
            graph[task(first, verb(first))] |= {task(uid, "test")}
    return graph


def text(graph: Graph) -> str:
    """One line per task, in order of name."""
    return "".join(f"{task} <- {', '.join(sorted(graph[task])) or 'nothing'}\n" for task in sorted(graph))


def nodes_of(data: Path, dag_id: str) -> dict[str, dict[str, Any]]:
    """The dbt nodes a DAG draws."""
    found: dict[str, dict[str, Any]] = json.loads((data / "dbt" / "manifest" / f"{DRAWN[dag_id]}.json").read_text())[
        "nodes"
    ]
    return found


def main() -> None:
    current = load_settings()
    manifest.build(current)
    with tempfile.TemporaryDirectory() as scratch:
        facts = parse(ROOT / "dags", Path(scratch), SUPPORT_DATA_DIR=str(current.data_dir))
    GRAPHS.mkdir(exist_ok=True)
    for dag_id in DRAWN:
        (GRAPHS / f"{dag_id}.txt").write_text(text(drawn(facts, dag_id)))


if __name__ == "__main__":
    main()
