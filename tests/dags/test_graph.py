"""The tasks of the two DAGs that are drawn from dbt, and their order."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import pytest

from tests.dags.contract import Facts
from tests.dags.graph import DRAWN, GRAPHS, Graph, by_refs, drawn, nodes_of, text

pytestmark = pytest.mark.integration

REGENERATE = "if that is meant: python -m tests.dags.graph"


def differences(kept: str, found: str) -> str:
    """The lines that are in one text only."""
    lines = unified_diff(kept.splitlines(), found.splitlines(), "kept", "found", lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith("@@"))


@pytest.mark.parametrize("dag_id", DRAWN)
def test_the_graph_is_the_one_that_is_kept(real: Facts, dag_id: str) -> None:
    kept = (GRAPHS / f"{dag_id}.txt").read_text()
    assert not (changed := differences(kept, text(drawn(real, dag_id)))), f"{changed}\n{REGENERATE}"


@pytest.mark.parametrize("dag_id", DRAWN)
def test_dbt_tasks_are_ordered_by_dbts_own_references(real: Facts, data: Path, dag_id: str) -> None:
    tasks = {task: upstream for task, upstream in drawn(real, dag_id).items() if task.startswith("dbt.")}
    expected = by_refs(nodes_of(data, dag_id))
    assert not (changed := differences(text(expected), text(tasks))), changed
    assert sum(len(upstream) > 2 for upstream in expected.values()) > 5  # a graph without a join would prove little


@pytest.mark.parametrize("dag_id", DRAWN)
def test_a_task_of_bronze_sees_the_graph_without_what_dbt_draws(real: Facts, dag_id: str) -> None:
    whole = drawn(real, dag_id)
    dbts = {task for task in whole if task == "build" or task.startswith("dbt.")}
    seen = {task: frozenset(upstream) for task, upstream in real["seen_by_a_task"][dag_id].items()}
    assert seen == {task: upstream - dbts for task, upstream in whole.items() if task not in dbts}


def test_a_graph_that_lost_a_task_or_an_edge_is_told_line_by_line() -> None:
    kept: Graph = {"a": frozenset(), "b": frozenset({"a"}), "c": frozenset({"a", "b"})}
    assert differences(text(kept), text(kept)) == ""
    without_an_edge = text(kept | {"c": frozenset({"b"})})
    assert differences(text(kept), without_an_edge).splitlines()[2:] == ["-c <- a, b", "+c <- b"]
    assert differences(text(kept), text({"a": kept["a"], "c": kept["c"]})).splitlines()[2:] == ["-b <- a"]
