"""The Airflow DAG that builds what every client shares: calendars and channels."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable

from include.orchestration.medallion import medallion
from include.orchestration.nightly import dbt_is_drawn, load_every_stream
from include.orchestration.tags import Tag
from include.settings import settings

client = settings().client("core")

with DAG(
    dag_id="core_reference",
    description="Roster and CRM accounts into Bronze, shared dimensions from them",
    doc_md="""
Loads the roster and the Salesforce accounts from their drop folders, and builds the dbt selector `reference`.

**If it fails:** the red task's last log line says what happened and what to do. Clear it to go on from there.
""",
    schedule=CronDataIntervalTimetable(client.schedule, timezone=client.timezone),
    start_date=datetime(2025, 1, 1),  # noqa: DTZ001 - the timetable gives it its zone
    catchup=False,
    max_active_runs=1,
    max_active_tasks=200,
    default_args={"owner": client.owner, "retries": 2, "retry_delay": timedelta(seconds=30)},
    tags=[Tag.IMPACT_MEDIUM, Tag.REFERENCE, Tag.CLIENT_CORE],
) as dag:
    loads = load_every_stream(dag, client)
    if dbt_is_drawn():
        build, _ = medallion(dag, "reference")
        loads >> build
