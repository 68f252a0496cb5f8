"""An Airflow DAG of the tests' own dbt project, wired as the real ones are."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from include.orchestration.alerts import FailureNotifier, ended_within
from include.orchestration.medallion import medallion
from tests.e2e.fast_forward.tiny import project

with DAG(
    dag_id="ff",
    schedule=None,
    max_active_runs=1,
    max_active_tasks=200,
    deadline=ended_within(hours=3),  # as the nightly DAG has it, which is cleared as well
    default_args={
        "owner": "tests",
        "retries": 1,
        "retry_delay": timedelta(seconds=1),
        "on_failure_callback": FailureNotifier(),
    },
) as dag:
    medallion(dag, project("everything"), retry_delay=timedelta(seconds=1))
