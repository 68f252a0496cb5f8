"""Fast-forward's pure core: which dbt nodes a task stands for, what a build has finished, what is left to select.

Knows neither Airflow nor dbt: task ids and unique ids go in, task ids and selectors come out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from threading import Lock

from include.serving.builds import GREEN


class TaskKind(StrEnum):
    """What a Cosmos task does with its node."""

    RUN = "run"  # a model, a seed, a snapshot, or a test that stands alone
    TEST = "test"  # every test of one model


@dataclass(frozen=True)
class ShownTask:
    """An Airflow task and the node it was rendered from."""

    task_id: str
    kind: TaskKind
    unique_id: str


@dataclass(frozen=True)
class TaskGraph:
    """The two directions between tasks and dbt nodes.

    A task needs the nodes it stands for. An ephemeral model is built by nobody: Cosmos shows it as an empty task, which
    Airflow's scheduler closes by itself, and it is none of these.
    """

    needs: Mapping[str, frozenset[str]]
    tasks_of: Mapping[str, frozenset[str]]

    @classmethod
    def build(cls, tasks: Iterable[ShownTask], nodes: Mapping[str, Mapping[str, object]]) -> TaskGraph:
        """Match tasks to nodes. A test task stands for every test of its model that no task of its own shows."""
        shown = list(tasks)
        run = {task.unique_id: task.task_id for task in shown if task.kind is TaskKind.RUN}
        test = {task.unique_id: task.task_id for task in shown if task.kind is TaskKind.TEST}
        needs: dict[str, set[str]] = {task_id: {unique_id} for unique_id, task_id in run.items()}
        needs |= {task_id: set() for task_id in test.values()}
        for unique_id, node in nodes.items():
            if node["resource_type"] == "test" and unique_id not in run:
                for parent in _parents(node):
                    if parent in test:
                        needs[test[parent]].add(unique_id)
        tasks_of: dict[str, set[str]] = {}
        for task_id, unique_ids in needs.items():
            for unique_id in unique_ids:
                tasks_of.setdefault(unique_id, set()).add(task_id)
        return cls(
            {task_id: frozenset(ids) for task_id, ids in needs.items()},
            {unique_id: frozenset(ids) for unique_id, ids in tasks_of.items()},
        )

    def nodes_of(self, tasks: Iterable[str]) -> frozenset[str]:
        """The nodes that tasks stand for."""
        return frozenset(uid for task_id in tasks for uid in self.needs[task_id])

    def open_tasks(self, states: Mapping[str, str | None]) -> frozenset[str]:
        """The tasks that still have something to do, by the states Airflow gives them."""
        return frozenset(task_id for task_id in self.needs if states.get(task_id) not in ("success", "skipped"))

    def selection(self, open_tasks: Iterable[str], nodes: Mapping[str, Mapping[str, object]]) -> list[str]:
        """What dbt must select to do just the open tasks, by fully qualified name."""
        return sorted(f"fqn:{'.'.join(map(str, _fqn(nodes[uid])))}" for uid in self.nodes_of(open_tasks))


@dataclass(frozen=True)
class Finished:
    """A node that dbt is done with."""

    unique_id: str
    status: str
    seconds: float
    message: str
    rows: int | None = None

    @property
    def is_green(self) -> bool:
        return self.status in GREEN


@dataclass(frozen=True)
class Closed:
    """A task whose every node is green."""

    task_id: str
    seconds: float
    nodes: tuple[Finished, ...]


@dataclass
class Progress:
    """What one build has finished so far. dbt reports from several threads."""

    graph: TaskGraph
    finished: dict[str, Finished] = field(default_factory=dict)
    already_green: frozenset[str] = frozenset()
    _closed: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def node_finished(self, node: Finished) -> list[Closed]:
        """Take in one node and say which tasks it closes. A node that no task shows, as an exposure, is no matter."""
        if node.unique_id not in self.graph.tasks_of:
            return []
        with self._lock:
            self.finished[node.unique_id] = node
            closed = []
            for task_id in sorted(self.graph.tasks_of.get(node.unique_id, ())):
                if task_id in self._closed or not self.graph.needs[task_id] <= self.green:
                    continue
                self._closed.add(task_id)
                nodes = [self.finished[uid] for uid in sorted(self.graph.needs[task_id]) if uid in self.finished]
                closed.append(Closed(task_id, sum(n.seconds for n in nodes), tuple(nodes)))
            return closed

    @property
    def green(self) -> frozenset[str]:
        """Every node that is done and good, in this attempt or an earlier one."""
        return self.already_green | {uid for uid, node in self.finished.items() if node.is_green}

    @property
    def bad(self) -> tuple[Finished, ...]:
        """Every node that failed or was skipped, in order of name."""
        return tuple(node for _, node in sorted(self.finished.items()) if not node.is_green)


def ancestors(nodes: Mapping[str, Mapping[str, object]]) -> Callable[[str], frozenset[str]]:
    """What is above a node, as far as these nodes tell: also what they read and is not among them."""

    @cache
    def above(unique_id: str) -> frozenset[str]:
        parents = _parents(nodes[unique_id]) if unique_id in nodes else []
        return frozenset(parents).union(*(above(parent) for parent in parents))

    return above


def waiting_for_tests(nodes: Mapping[str, Mapping[str, object]]) -> dict[str, frozenset[str]]:
    """For each test of several nodes the first that are below all of these, which dbt builds only if it passes."""
    above = ancestors(nodes)
    built = [unique_id for unique_id, node in nodes.items() if node["resource_type"] != "test"]
    waiting = {}
    for test, node in nodes.items():
        tested = frozenset(_parents(node))
        if node["resource_type"] == "test" and len(tested) > 1:
            below = {unique_id for unique_id in built if tested <= above(unique_id)}
            waiting[test] = frozenset(unique_id for unique_id in below if not above(unique_id) & below)
    return waiting


def _parents(node: Mapping[str, object]) -> list[str]:
    depends_on = node.get("depends_on")
    nodes = depends_on.get("nodes") if isinstance(depends_on, Mapping) else None
    return [str(parent) for parent in nodes] if isinstance(nodes, list) else []


def _fqn(node: Mapping[str, object]) -> list[str]:
    fqn = node.get("fqn")
    return [str(part) for part in fqn] if isinstance(fqn, list) else []
