"""A real Airflow over a tiny simulated world: its nights, its processes and what kills them."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import psutil

from include.bronze.steps import Bronze
from include.local import keeper
from include.local.api import ENDED, ApiError, Task
from include.local.console import Console
from include.local.folder import Place, hold
from include.local.run import start_run
from include.local.stack import Stack, free_port
from include.settings import load_settings
from tests.bronze.vendors import Vendors

T = TypeVar("T")
PATIENCE = 900.0
TASK = "task"
OVER = ("success", "failed", "skipped", "upstream_failed", "removed")


class TinyStack(Stack):
    """The stack of `make run` over a world of a few tickets, impatient with processes that do not answer, and looking less
    often, and saying less, where a test asks nothing of it: what that costs, other tests on the machine have."""

    def __init__(self, place: Place, console: Console, lock: int, seed: int) -> None:
        super().__init__(place, console, lock, port=free_port())
        # Ports that stay: vendors that are killed come back where they were.
        ports = ("--pylon-port", str(free_port()), "--plain-port", str(free_port()))
        self.world = ("--size", "tiny", "--seed", str(seed), *ports)

    def env(self, *, schedules: bool = False) -> dict[str, str]:
        return super().env(schedules=schedules) | {
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
            # What dbt says of each node goes into its task's page; the two logs nobody reads here cost an eighth of a build.
            "DBT_LOG_LEVEL": "none",
            "DBT_LOG_LEVEL_FILE": "none",
        }

    def begin(self, name: str) -> None:
        """Start one process, again after it was ended."""
        if name == "simulators":
            self._start_simulators(self.env())
            self._wait_for_simulators()
        else:
            self._start_service(name, self.env())

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to one process, and wait until it is gone."""
        self.process(name).send_signal(number)
        deadline = time.monotonic() + 60
        while name not in self.processes.poll():
            assert time.monotonic() < deadline, f"{name} does not end"
            time.sleep(0.1)

    def process(self, name: str) -> psutil.Process:
        """The process of that name: the one that writes its log."""
        log = str(self.processes.logs[name])
        children = psutil.Process(self.processes._keeper.pid).children()
        (found,) = (one for one in children if _writes_to(one, log))
        return found


def _writes_to(process: psutil.Process, log: str) -> bool:
    with contextlib.suppress(FileNotFoundError):  # it has ended meanwhile
        return str(Path(f"/proc/{process.pid}/fd/1").readlink()) == log
    return False


@dataclass(frozen=True)
class Run:
    """One run of a DAG."""

    dag_id: str
    run_id: str
    state: str
    note: str
    tasks: tuple[Task, ...]


@dataclass
class Nights:
    """The stack, its vendors, and when they were asked."""

    stack: TinyStack
    seed: int
    polls: list[datetime] = field(default_factory=list)

    @cached_property
    def vendors(self) -> Vendors:
        found = self.stack.vendors
        assert found
        return Vendors(self.data, found.pylon_url, found.plain_url)

    @property
    def data(self) -> Path:
        return self.stack.place.data

    def bronze(self, client: str) -> Bronze:
        """A client's Bronze, to be looked at."""
        settings = load_settings(self.stack.env())
        return Bronze(settings, settings.client(client), self.vendors.connection, "a test")

    def at(self, moment: datetime) -> None:
        """Let it be that moment in the vendors' world."""
        self.vendors.set_clock(moment)

    def start(self, dag_id: str) -> str:
        """Trigger the run of the night that is over."""
        run_id: str = start_run(self.stack.api, dag_id, self.vendors.now.astimezone(UTC))["dag_run_id"]
        return run_id

    def run(self, dag_id: str, **form: Any) -> Run:
        """Run a DAG: for the night that is over, or from its form."""
        self.polls.append(self.vendors.now.astimezone(UTC))
        if dag_id in ("core_reference", "def_support"):
            return self.wait(dag_id, self.start(dag_id))
        run = self.stack.api.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": form})
        return self.wait(dag_id, run["dag_run_id"])

    def backfill(self, dag_id: str, logical_date: datetime) -> Run:
        """Have Airflow run one older interval, as its backfill form does."""
        self.polls.append(self.vendors.now.astimezone(UTC))
        day = logical_date.isoformat()
        before = {run["dag_run_id"] for run in self.stack.api.runs(dag_id)}
        self.stack.api.call("POST", "/backfills", {"dag_id": dag_id, "from_date": day, "to_date": day})
        (run_id,) = {run["dag_run_id"] for run in self.stack.api.runs(dag_id)} - before
        return self.wait(dag_id, run_id)

    def wait(self, dag_id: str, run_id: str) -> Run:
        """Wait for the end of a run, and expect a good one."""
        run = self.ended(dag_id, run_id)
        assert run.state == "success", f"{run_id} of {dag_id}: {self._open(dag_id, run_id)}"
        return run

    def ended(self, dag_id: str, run_id: str) -> Run:
        """Wait for the end of a run, good or bad."""
        deadline = time.monotonic() + PATIENCE
        while (run := self._patiently(lambda: self.stack.api.run(dag_id, run_id)))["state"] not in ENDED:
            assert time.monotonic() < deadline, (
                f"{run_id} of {dag_id} is still {run['state']}: {self._open(dag_id, run_id)}"
            )
            time.sleep(1)
        return Run(dag_id, run_id, run["state"], run["note"] or "", tuple(self.stack.api.tasks(dag_id, run_id)))

    def clear_failed(self, dag_id: str, run_id: str) -> None:
        """Have Airflow run again what failed and what waits for it, as its button does."""
        body = {"dag_run_id": run_id, "only_failed": True, "dry_run": False, "reset_dag_runs": True}
        self.stack.api.call("POST", f"/dags/{dag_id}/clearTaskInstances", body)

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask, also while the API server is away."""
        for _ in range(200):
            with contextlib.suppress(ApiError):
                return ask()
            time.sleep(0.3)
        raise AssertionError("the API server does not answer")

    def _open(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        return {t.name: t.state for t in self.stack.api.tasks(dag_id, run_id) if t.state != "success"}

    # -- kills

    def kill(self, kind: str, run_id: str, task_id: str, after: float = 0, away: float = 0) -> bool:
        """Kill one process while a task of def_support runs, and bring it back where Airflow does not by itself.

        False if that task was over before anything could be killed.
        """
        worker = self._worker(run_id, task_id)
        if worker is None:
            return False
        time.sleep(after)
        if kind == TASK:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
                return True
            return False
        self.stack.stop(kind, signal.SIGKILL)
        time.sleep(away)
        self.stack.begin(kind)
        return True

    def _worker(self, run_id: str, task_id: str) -> psutil.Process | None:
        """The process in which a task runs, as soon as it does; none if it is over."""
        deadline = time.monotonic() + PATIENCE
        path = f"/dags/def_support/dagRuns/{run_id}/taskInstances/{task_id}"
        while time.monotonic() < deadline:
            instance = self._patiently(lambda: self.stack.api.call("GET", path))
            if instance["state"] in OVER:
                return None
            if instance["state"] == "running":
                for one in psutil.Process(self.stack.process("scheduler").pid).children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        if one.cmdline()[:1] == [f"airflow worker -- {instance['id']}"]:
                            return one
            time.sleep(0.1)
        raise AssertionError(f"{task_id} of {run_id} never ran")


@contextlib.contextmanager
def running(data: Path, seed: int) -> Iterator[Nights]:
    """The stack, until the block ends."""
    place, console = Place(data), Console()
    try:
        with hold(place, "tests") as lock, TinyStack(place, console, lock, seed) as stack:
            stack.prepare()
            stack.start()
            stack.wait_for_dags("core_reference", "def_support", "def_sync_now", "rerun_batch", "reconcile_deletes")
            yield Nights(stack, seed)
    finally:
        keeper.sweep(str(data), grace=1)


def local_night(year: int, month: int, day: int) -> datetime:
    """When the night to that day is run: 03:20 in São Paulo."""
    return datetime(year, month, day, 6, 20, tzinfo=UTC)


DAY = timedelta(days=1)
