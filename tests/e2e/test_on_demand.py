"""The DAGs a person triggers, and the housekeeping, on a real scheduler after a first night.

A replay, a sync and the looking for deletions are part of test_seven_nights.py, which has a stack with news of its own.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from include.local.api import ENDED, Airflow
from include.orchestration.forms import REEXTRACT
from tests.e2e.conftest import Served

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Run:
    """One ended run."""

    state: str
    note: str
    logs: dict[str, str]  # of the tasks that failed


@dataclass(frozen=True)
class Scheduler:
    """Triggers DAGs as the UI does, and waits."""

    api: Airflow

    def run(self, dag_id: str, **form: Any) -> Run:
        run = self.api.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": form})
        path = f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}"
        deadline = time.monotonic() + 240
        while (ended := self.api.run(dag_id, run["dag_run_id"]))["state"] not in ENDED:
            assert time.monotonic() < deadline, f"{dag_id} is still {ended['state']}"
            time.sleep(0.5)
        tasks = self.api.call("GET", f"{path}/taskInstances", limit=300)["task_instances"]
        failed = [task for task in tasks if task["state"] == "failed"]
        logs = {
            t["task_id"]: self.api.call("GET", f"{path}/taskInstances/{t['task_id']}/logs/{t['try_number']}")
            for t in failed
        }
        return Run(ended["state"], ended["note"] or "", {name: json.dumps(log) for name, log in logs.items()})


@pytest.fixture(scope="module")
def scheduler(served: Served) -> Scheduler:
    return Scheduler(Airflow(served.url, served.user, served.password))


def published(served: Served, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(served.first_run.checkout.data / "serving" / "support.duckdb"), read_only=True) as copy:
        return copy.execute(sql).fetchall()


def newest_batch(served: Served, stream: str) -> str:
    ((batch_id,),) = published(
        served, f"select max_by(batch_id, window_end) from ingest_batches where stream = '{stream}'"
    )
    return str(batch_id)


def test_asking_again_at_the_same_minute_changes_nothing(served: Served, scheduler: Scheduler) -> None:
    run = scheduler.run("rerun_batch", batch_id=newest_batch(served, "plain_label_types"), how=REEXTRACT)
    assert run.state == "success", run.logs


def test_a_batch_nobody_knows_fails_at_once_with_the_nearest(served: Served, scheduler: Scheduler) -> None:
    batch = newest_batch(served, "pylon_issues")
    run = scheduler.run("rerun_batch", batch_id=batch[:-16] + "20991231T000000Z")
    assert run.state == "failed"
    assert "is not in landing; the nearest there are: " in run.logs["check"]
    assert batch in run.logs["check"]


def test_the_console_runs_what_the_form_says(scheduler: Scheduler) -> None:
    run = scheduler.run("dbt_console", command="build", select="dim_channel")
    assert run.state == "success", run.logs
    assert run.note.startswith("dbt build --select dim_channel\n")
    assert "success" in run.note


def test_the_console_refuses_what_makes_no_sense(scheduler: Scheduler) -> None:
    run = scheduler.run("dbt_console", command="build", select="dim_channel", selector="client_def")
    assert run.state == "failed"
    assert "select and selector are both filled in" in run.logs["dbt"]


def test_maintenance_finds_the_house_in_order(served: Served, scheduler: Scheduler) -> None:
    run = scheduler.run("maintenance")
    assert run.state == "success", run.logs
    page = served.first_run.checkout.data / "serving" / "docs" / "index.html"
    assert "fct_def_tickets" in page.read_text(encoding="utf-8")
