"""The Airflow DAG that builds what every client shares: calendars and channels."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable

from include.orchestration.medallion import medallion
from include.orchestration.tags import Tag
from include.settings import settings

client = settings().client("core")

with DAG(
    dag_id="core_reference",
    description="Shared dimensions: calendar and channels",
    doc_md="""
Builds the dbt selector `reference` into the shared database.

**If it fails:** open the red model's log; the data comes from this repository's seeds, so the fix is a commit.
Clear the model when it is fixed.
""",
    schedule=CronDataIntervalTimetable(client.schedule, timezone=client.timezone),
    start_date=datetime(2025, 1, 1),  # noqa: DTZ001 - the timetable gives it its zone
    catchup=False,
    max_active_runs=1,
    max_active_tasks=200,
    default_args={"owner": client.owner, "retries": 2, "retry_delay": timedelta(seconds=30)},
    tags=[Tag.IMPACT_MEDIUM, Tag.REFERENCE, Tag.CLIENT_CORE],
) as dag:
    medallion(dag, "reference")
