"""A local Airflow that knows the tests' own two DAGs and nothing else, and what a person does with a run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.local.api import ENDED, Task
from include.local.console import Console
from include.local.folder import Place, hold
from include.local.processes import PYTHON
from include.local.stack import Stack, free_port
from include.serving.builds import Journal, NodeRecord

DAGS = Path(__file__).parent / "dags"


class TinyStack(Stack):
    """The stack of `make run`, with other DAGs and without vendors."""

    def env(self, *, schedules: bool = False) -> dict[str, str]:
        return super().env(schedules=schedules) | {
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        }

    def prepare(self) -> None:
        env = self.env()
        self._start_migration(env)
        self.processes.start("manifest", [PYTHON, "-m", "tests.e2e.fast_forward.tiny"], env)
        self.processes.wait("metadata", 180)
        self._finish_migration()


@contextlib.contextmanager
def running(data: Path) -> Iterator[TinyStack]:
    """Start it, and end it with everything it started."""
    place, console = Place(data), Console()
    with hold(place, "tests") as lock, TinyStack(place, console, lock, port=free_port()) as stack:
        stack.prepare()
        stack.start()
        stack.wait_for_dags("ff", "ff_beginning")
        yield stack


@dataclass
class Run:
    """One run of one of the DAGs."""

    stack: TinyStack
    dag_id: str
    run_id: str

    @property
    def path(self) -> str:
        return f"/dags/{self.dag_id}/dagRuns/{self.run_id}"

    def tasks(self) -> dict[str, Task]:
        """By the name of the dbt node, as `first.run`; `build` by its own."""
        return {t.task_id.removeprefix("dbt."): t for t in self.stack.api.tasks(self.dag_id, self.run_id)}

    def state(self) -> str:
        return str(self.stack.api.run(self.dag_id, self.run_id)["state"])

    def wait(self, seconds: float = 240) -> Run:
        deadline = time.monotonic() + seconds
        while (state := self.state()) not in ENDED:
            assert time.monotonic() < deadline, f"{self.run_id} is still {state}: {self.tasks()}"
            self.stack.processes.check(*self.stack.services)
            time.sleep(0.2)
        return self

    def clear(self, *task_ids: str, downstream: bool = False) -> Run:
        """Clear tasks as the UI does, and wait until the run has ended again."""
        body = {
            "dag_run_id": self.run_id,
            "task_ids": [name if name == "build" else f"dbt.{name}" for name in task_ids],
            "include_downstream": downstream,
            "only_failed": False,
            "dry_run": False,
            "reset_dag_runs": True,
        }
        self.stack.api.call("POST", f"/dags/{self.dag_id}/clearTaskInstances", body)
        return self.wait()

    def log(self, task_id: str, try_number: int = 1) -> str:
        name = task_id if task_id == "build" else f"dbt.{task_id}"
        answer = self.stack.api.call("GET", f"{self.path}/taskInstances/{name}/logs/{try_number}", full_content=True)
        return str(answer["content"])

    def journal(self) -> dict[str, NodeRecord]:
        """What the builds of this run did, by the name of the dbt node."""
        kept = Journal(self.stack.place.data / "dbt" / "runs", self.dag_id, self.run_id).read()
        return {unique_id.split(".")[2]: node for unique_id, node in kept.nodes.items()}

    def events(self) -> dict[str, int]:
        """How many asset events this run has given out for each relation."""
        found = self.stack.api.call(
            "GET", "/assets/events", source_dag_id=self.dag_id, source_run_id=self.run_id, limit=1000
        )["asset_events"]
        counted: dict[str, int] = {}
        for event in found:
            name = str(event["uri"]).rsplit("/", 1)[-1]
            counted[name] = counted.get(name, 0) + 1
        return counted


def start(stack: TinyStack, dag_id: str = "ff") -> Run:
    run: Mapping[str, Any] = stack.api.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None})
    return Run(stack, dag_id, run["dag_run_id"])
