"""Fast-forward's core: tasks and nodes, what closes what, and what is left to select."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from include.orchestration.graph import Finished, Progress, ShownTask, TaskGraph, TaskKind, waiting_for_tests


def node(name: str, *parents: str, kind: str = "model") -> dict[str, object]:
    return {"resource_type": kind, "fqn": ["p", name], "depends_on": {"nodes": list(parents)}}


NODES = {
    "model.p.a": node("a"),
    "model.p.b": node("b", "model.p.a"),
    "test.p.a_unique": node("a_unique", "model.p.a", kind="test"),
    "test.p.a_not_null": node("a_not_null", "model.p.a", kind="test"),
    "test.p.b_unique": node("b_unique", "model.p.b", kind="test"),
    "test.p.a_b": node("a_b", "model.p.a", "model.p.b", kind="test"),
}
TASKS = [
    ShownTask("dbt.a.run", TaskKind.RUN, "model.p.a"),
    ShownTask("dbt.a.test", TaskKind.TEST, "model.p.a"),
    ShownTask("dbt.b.run", TaskKind.RUN, "model.p.b"),
    ShownTask("dbt.b.test", TaskKind.TEST, "model.p.b"),
    ShownTask("dbt.a_b_test", TaskKind.RUN, "test.p.a_b"),
]
GRAPH = TaskGraph.build(TASKS, NODES)


def finish(progress: Progress, unique_id: str, status: str = "success") -> list[str]:
    return [task.task_id for task in progress.node_finished(Finished(unique_id, status, 0.5, "ok"))]


def test_a_test_task_stands_for_the_tests_of_its_model_that_no_other_task_shows() -> None:
    assert GRAPH.needs == {
        "dbt.a.run": {"model.p.a"},
        "dbt.a.test": {"test.p.a_unique", "test.p.a_not_null"},
        "dbt.b.run": {"model.p.b"},
        "dbt.b.test": {"test.p.b_unique"},
        "dbt.a_b_test": {"test.p.a_b"},
    }


def test_a_test_of_two_models_that_is_shown_nowhere_belongs_to_both() -> None:
    graph = TaskGraph.build(TASKS[:4], NODES)
    assert graph.tasks_of["test.p.a_b"] == {"dbt.a.test", "dbt.b.test"}


def test_a_test_task_closes_with_the_last_of_its_tests() -> None:
    progress = Progress(GRAPH)
    assert finish(progress, "model.p.a") == ["dbt.a.run"]
    assert finish(progress, "test.p.a_unique", "pass") == []
    assert finish(progress, "test.p.a_not_null", "warn") == ["dbt.a.test"]


def test_a_task_with_a_failed_node_stays_open() -> None:
    progress = Progress(GRAPH)
    finish(progress, "test.p.a_unique", "fail")
    assert finish(progress, "test.p.a_not_null", "pass") == []
    assert [bad.unique_id for bad in progress.bad] == ["test.p.a_unique"]
    assert progress.green == {"test.p.a_not_null"}


def test_a_node_no_task_shows_is_no_matter() -> None:
    progress = Progress(GRAPH)
    assert finish(progress, "exposure.p.page", "no-op") == []
    assert progress.bad == ()


def test_what_is_open_is_what_is_neither_done_nor_skipped() -> None:
    states = {"dbt.a.run": "success", "dbt.a.test": "skipped", "dbt.b.run": "failed", "dbt.b.test": None}
    assert GRAPH.open_tasks(states) == {"dbt.b.run", "dbt.b.test", "dbt.a_b_test"}


def test_the_selection_names_every_node_of_the_open_tasks_in_full() -> None:
    assert GRAPH.selection({"dbt.a.test", "dbt.b.run"}, NODES) == ["fqn:p.a_not_null", "fqn:p.a_unique", "fqn:p.b"]


@given(st.permutations(sorted(NODES)), st.sets(st.sampled_from(sorted(NODES))))
def test_in_any_order_each_task_closes_once_and_only_if_all_its_nodes_are_green(
    order: list[str], failing: set[str]
) -> None:
    progress = Progress(GRAPH)
    closed = [
        task for unique_id in order for task in finish(progress, unique_id, "error" if unique_id in failing else "pass")
    ]
    assert sorted(closed) == sorted(task for task, needs in GRAPH.needs.items() if not needs & failing)


def test_what_is_below_all_that_a_test_reads_waits_for_it() -> None:
    below = NODES | {
        "model.p.below_a": node("below_a", "model.p.a"),
        "model.p.below_b": node("below_b", "model.p.b"),
        "model.p.below_both": node("below_both", "model.p.below_a", "model.p.below_b"),
    }
    assert waiting_for_tests(below) == {"test.p.a_b": {"model.p.below_b"}}


def test_what_reads_the_tested_models_apart_waits_where_it_meets() -> None:
    apart = {
        "model.p.a": node("a", "model.elsewhere.x"),
        "model.p.b": node("b", "model.elsewhere.x"),
        "model.p.c": node("c", "model.p.a"),
        "model.p.d": node("d", "model.p.c", "model.p.b"),
        "model.p.e": node("e", "model.p.d", "model.p.a"),
        "test.p.a_b": node("a_b", "model.p.a", "model.p.b", kind="test"),
        "test.p.a_x": node("a_x", "model.p.a", "model.elsewhere.x", kind="test"),
        "test.p.a_z": node("a_z", "model.p.a", "model.elsewhere.z", kind="test"),
    }
    assert waiting_for_tests(apart) == {
        "test.p.a_b": {"model.p.d"},
        "test.p.a_x": {"model.p.c"},
        "test.p.a_z": set(),
    }
