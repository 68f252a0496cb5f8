"""An Airflow DAG of a part of the same project; the tests give it its connection to Airflow's API, or none."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from include.orchestration.alerts import ended_within
from include.orchestration.medallion import medallion
from tests.e2e.fast_forward.tiny import project

with DAG(
    dag_id="ff_beginning",
    schedule=None,
    max_active_runs=1,
    max_active_tasks=200,
    deadline=ended_within(hours=1 / 3600),
    default_args={"owner": "tests", "retries": 1, "retry_delay": timedelta(seconds=1)},
) as dag:
    medallion(dag, project("beginning"), api_conn_id="ff_api", retry_delay=timedelta(seconds=1))
