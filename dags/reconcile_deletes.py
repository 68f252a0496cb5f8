"""The Airflow DAG that looks for records that were deleted outright, which no nightly window can show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task

from include.bronze.streams import Cadence
from include.orchestration import bronze_steps, dbt_call
from include.orchestration.alerts import task_defaults
from include.orchestration.dbt_call import downstream_of
from include.orchestration.medallion import WAREHOUSE_POOL, holder
from include.orchestration.nightly import load_every_stream
from include.orchestration.retries import SOURCE_RETRIES
from include.orchestration.tags import Tag
from include.settings import settings

client = settings().client("def")

with DAG(
    dag_id="reconcile_deletes",
    description="Weekly: list every id, look up what is missing or changed unseen, rebuild what depends on it",
    doc_md="""
A window of changes says nothing of what was deleted. Once a week every id is listed; each known record that is missing
is asked for by itself, and only "not found" counts. The next publish brings the result to readers.

**If it fails:** the red task's last log line says what happened and what to do. Clear it to go on from there.
""",
    schedule=CronDataIntervalTimetable("45 4 * * 0", timezone=client.timezone),
    start_date=datetime(2025, 1, 1),  # noqa: DTZ001 - the timetable gives it its zone
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(client.owner),
    tags=[Tag.IMPACT_MEDIUM, Tag.WEEKLY, Tag.CLIENT_DEF],
) as dag:

    @task(pool=WAREHOUSE_POOL, retry_policy=SOURCE_RETRIES)
    def look_up(**context: Any) -> list[str]:
        """Ask for each record in doubt, and load the answers."""
        return bronze_steps.find_deletions(client.code, context["run_id"], holder(context))

    @task(pool=WAREHOUSE_POOL)
    def rebuild(streams: list[str], **context: Any) -> list[str]:
        """Build what depends on streams that have news."""
        if not streams:
            return []
        return dbt_call.build(["--select", *(downstream_of(client.stream(name)) for name in streams)], holder(context))

    found: Any = look_up()
    load_every_stream(dag, client, cadence=Cadence.WEEKLY) >> found
    rebuild(found)
