"""The Airflow DAG that builds what every client shares: calendars and channels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task
from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration import bronze_steps
from include.orchestration.alerts import task_defaults
from include.orchestration.marts import REFERENCE
from include.orchestration.medallion import WAREHOUSE_POOL, DbtProject, holder, medallion
from include.orchestration.nightly import dbt_is_drawn, load_every_stream
from include.orchestration.tags import Tag
from include.settings import settings

client = settings().client("core")

with DAG(
    dag_id="core_reference",
    description="Roster and CRM accounts into Bronze, shared dimensions from them",
    doc_md="""
Loads the roster and the Salesforce accounts from their drop folders, and builds the dbt selector `reference`. If there
was anything new, the asset `reference.core` says so, by which `def_refresh` starts.

**If it fails:** the red task's last log line says what happened and what to do. Clear it to go on from there.
""",
    schedule=CronDataIntervalTimetable(client.schedule, timezone=client.timezone),
    start_date=datetime(2025, 1, 1),  # noqa: DTZ001 - the timetable gives it its zone
    catchup=False,
    max_active_runs=1,
    max_active_tasks=200,
    default_args=task_defaults(client.owner),
    tags=[Tag.IMPACT_MEDIUM, Tag.REFERENCE, Tag.CLIENT_CORE],
) as dag:

    @task(pool=WAREHOUSE_POOL, outlets=[REFERENCE])
    def announce(**context: Any) -> None:
        """Tell who builds on this, if anything is new."""
        loaded = bronze_steps.loaded_by(context["run_id"], holder(context))
        if not loaded:
            raise AirflowSkipException("this run loaded nothing")
        context["outlet_events"][REFERENCE].extra = {"batches": [batch_id for _, batch_id in loaded]}

    loads = load_every_stream(dag, client)
    announced = announce()
    if dbt_is_drawn():
        build, shared = medallion(dag, DbtProject.of("reference"))
        loads >> build
        shared >> announced
