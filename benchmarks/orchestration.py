"""What does Airflow add to `dbt build`, and what would Cosmos' own modes add?

A real Airflow (API server, scheduler, DAG processor) over the simulated world `small` loads a night, and then is asked
for the same night again and again: nothing new, so what is measured is the pipeline itself. In turn with each of these
runs `dbt build` of the same selection is started on the command line, warm, beside the same idle Airflow. The
medallion is the time from the start of task `build` to the end of the last task of dbt. Then Cosmos' own modes run the
same dbt project: WATCHER all of it; LOCAL a slice of four models with their tests, because a process per task makes the
whole too long, so it is compared by the time per task; two rounds of both. All times are of the wall, and nearly all of
a night is `dbt build`, so its seconds follow the pace of the machine; the multiples do so far less.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, Options, Result, Series
from include.local.api import ENDED, Task
from include.local.console import Console
from include.local.folder import Place, hold
from include.local.processes import PYTHON
from include.local.run import start_run
from include.local.stack import Stack, free_port
from include.settings import DBT_PROJECT_DIR, REPO, load_settings

OURS = ("core_reference", "def_support")
SLICE = ("fct_def_csat", "fct_def_qa_reviews", "fct_def_replies", "fct_def_ticket_clocks")
PATIENCE = 3600
PEER_ROUNDS = 2  # minutes each
IF_MISSED = (
    "nearly all of it is `dbt build`, whose own time of the same run is among the series below, and both follow the "
    "pace of the machine: 49.4 s on a quicker one (`git show edc6134:benchmarks/results/orchestration.json`). What was "
    "tried and what was left is in docs/adr/051"
)


class BenchStack(Stack):
    """The stack of `make run`, with the DAGs of the comparison beside its own two."""

    def __init__(self, place: Place, console: Console, lock: int, size: str, dags: Path, *, with_peers: bool) -> None:
        # WATCHER's sensors are deferred, which takes a triggerer.
        super().__init__(place, console, lock, port=free_port(), with_triggerer=with_peers)
        self.world = ("--size", size, "--seed", "7", "--pylon-port", "0", "--plain-port", "0")
        self.dags = dags

    def env(self, *, schedules: bool = False) -> dict[str, str]:
        return super().env(schedules=schedules) | {
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "BENCHMARK_SLICE": ",".join(SLICE),
        }

    def night(self) -> Mapping[str, Any]:
        """The night that is over, once more."""
        return self.ended("def_support", start_run(self.api, "def_support", self._now())["dag_run_id"])

    def reference(self) -> Mapping[str, Any]:
        return self.ended("core_reference", start_run(self.api, "core_reference", self._now())["dag_run_id"])

    def trigger(self, dag_id: str) -> Mapping[str, Any]:
        run = self.api.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None})
        return self.ended(dag_id, run["dag_run_id"])

    def ended(self, dag_id: str, run_id: str) -> Mapping[str, Any]:
        """A run, when it has ended well."""
        deadline = time.monotonic() + PATIENCE
        while (run := self.api.run(dag_id, run_id))["state"] not in ENDED:
            self.processes.check(*self.services)
            if time.monotonic() > deadline:
                raise SystemExit(f"{dag_id} did not end within {PATIENCE} s")
            time.sleep(0.5)
        if run["state"] != "success":
            bad = [task.name for task in self.api.tasks(dag_id, run_id) if task.state != "success"]
            raise SystemExit(f"{dag_id} ended as {run['state']}: {', '.join(bad[:5])}")
        return run

    def _now(self) -> datetime:
        assert self.vendors
        found = load_settings(self.env()).now()
        return found.astimezone(UTC)


def run(options: Options) -> Result:
    size = options.pick("small", "tiny")
    result = Result(inputs={"world": size, "seed": 7, "repetitions": options.repeat, "dbt_threads": 2})
    data = options.folder / "data"
    data.mkdir()
    ours = _against_dbt(data, size, options, result)
    if not options.quick:
        dags = options.folder / "dags"
        shutil.copytree(REPO / "dags", dags)
        shutil.copy(REPO / "benchmarks" / "peer_dags" / "peers.py", dags)
        _peers(data, size, dags, result, ours)
    return result


class _Medallions:
    """How long the tasks of dbt took, run by run."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.tasks: list[Task] = []

    def add(self, tasks: list[Task]) -> None:
        self.tasks = [task for task in tasks if task.task_id.startswith("dbt.")]
        self.seconds.append(_span([*self.tasks, *(task for task in tasks if task.task_id == "build")]))


def _against_dbt(data: Path, size: str, options: Options, result: Result) -> _Medallions:
    """Nights with nothing new and `dbt build`, in turn."""
    nights: list[float] = []
    medallions = _Medallions()
    builds: list[float] = []
    place, console = Place(data), Console()
    dags = REPO / "dags"
    with hold(place, "benchmarks") as lock, BenchStack(place, console, lock, size, dags, with_peers=False) as stack:
        stack.prepare()
        stack.start()
        stack.wait_for_dags(*OURS)
        stack.reference()
        if not options.quick:
            stack.night()
            _dbt_build(stack)
        for _ in range(options.repeat):
            ended = stack.night()
            nights.append(_seconds(ended))
            medallions.add(stack.api.tasks("def_support", ended["dag_run_id"]))
            builds.append(_dbt_build(stack))
    result.inputs["tasks_of_dbt"] = len(medallions.tasks)
    result.series += [
        Series("a night with nothing new, def_support", "s", nights),
        Series("its medallion, from `build` to the last task of dbt", "s", medallions.seconds),
        Series("`dbt build` of the same selection", "s", builds),
    ]
    ratio = statistics.median(a / b for a, b in zip(medallions.seconds, builds, strict=True))
    result.figures += [
        Figure("medallion", "medallion, as a multiple of `dbt build`", round(ratio, 2), "×", "≤ 1.6"),
        Figure("night", "a night with nothing new", round(statistics.median(nights), 1), "s", "≤ 60", IF_MISSED),
    ]
    return medallions


def _peers(data: Path, size: str, dags: Path, result: Result, ours: _Medallions) -> None:
    """Cosmos' own modes, and ours once more beside them."""
    place, console = Place(data), Console()
    with hold(place, "benchmarks") as lock, BenchStack(place, console, lock, size, dags, with_peers=True) as stack:
        stack.prepare()
        stack.start()
        stack.wait_for_dags(*OURS, "peer_watcher", "peer_local")
        found: dict[str, list[float]] = {"ours": [], "watcher": [], "local": []}
        tasks = 0
        for _ in range(PEER_ROUNDS):
            again = _Medallions()
            ended = stack.night()
            again.add(stack.api.tasks("def_support", ended["dag_run_id"]))
            found["ours"] += again.seconds
            found["watcher"].append(_seconds(stack.trigger("peer_watcher")))
            ended = stack.trigger("peer_local")
            tasks = len(stack.api.tasks("peer_local", ended["dag_run_id"]))
            found["local"].append(_seconds(ended) / tasks)
    result.inputs |= {"slice": list(SLICE), "tasks_of_the_slice": tasks, "repetitions_of_peers": PEER_ROUNDS}
    result.series += [
        Series("the medallion again, beside the modes", "s", found["ours"]),
        Series("Cosmos WATCHER, all models and tests", "s", found["watcher"]),
        Series("Cosmos LOCAL, per task of the slice", "s a task", found["local"]),
    ]
    watcher = statistics.median(a / b for a, b in zip(found["watcher"], found["ours"], strict=True))
    local = statistics.median(found["local"]) * len(ours.tasks) / statistics.median(found["ours"])
    result.figures += [
        Figure("watcher", "Cosmos WATCHER, as a multiple of our medallion", round(watcher, 2), "×"),
        Figure(
            "local",
            "Cosmos LOCAL, its time per task times all tasks, as a multiple of ours",
            round(local, 1),
            "×",
        ),
    ]
    result.remarks.append(
        "LOCAL's tasks write one DuckDB file, so one of them runs at a time; on Snowflake they would run side by side."
    )


def _dbt_build(stack: Stack) -> float:
    """The same selection on the command line."""
    current = load_settings(stack.env())
    folder = stack.place.data / "by_hand"
    where = ["--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR), "--target", "local"]
    where += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), "--quiet"]
    selection = ["--selector", "client_def", "--exclude-resource-type", "unit_test"]
    started = time.perf_counter()
    done = subprocess.run(
        [PYTHON, "-m", "dbt.cli.main", "build", *selection, *where],
        env=stack.env() | dict(current.dbt_environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"dbt build failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - started


def _seconds(ended: Mapping[str, Any]) -> float:
    start, end = (datetime.fromisoformat(ended[key]) for key in ("start_date", "end_date"))
    return (end - start).total_seconds()


def _span(tasks: list[Task]) -> float:
    starts = [task.start for task in tasks if task.start]
    ends = [task.end for task in tasks if task.end]
    return (max(ends) - min(starts)).total_seconds()
