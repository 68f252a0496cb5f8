"""The Airflow DAG of client def's nights: plan, extract and load each stream, build the medallion, publish."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task

from include.orchestration import serving_steps
from include.orchestration.alerts import FailureNotifier, ended_within
from include.orchestration.marts import mart_assets
from include.orchestration.medallion import WAREHOUSE_POOL, DbtProject, medallion
from include.orchestration.nightly import load_every_stream
from include.orchestration.tags import Tag
from include.settings import settings

client = settings().client("def")

with DAG(
    dag_id="def_support",
    description="Pylon and Plain into Bronze, Bronze into the marts, the marts into the published copy",
    doc_md="""
Loads every night that is not loaded yet, builds the dbt selector `client_def`, and publishes the result.

- `plan` reads the ledger and lists the batches to load. A cleared run keeps the list it had.
- `<stream>.extract` reads the API into landing, `<stream>.load` takes each batch in whole or not at all.
- `build` does the work of every task in group `dbt`; a model that fails there runs again by itself, with its own log.
- `publish` puts a fresh read-only copy in place.

**If it fails:** the red task's last log line says what happened and what to do. Clear it to go on from there.
""",
    schedule=CronDataIntervalTimetable(client.schedule, timezone=client.timezone),
    start_date=datetime(2025, 1, 1),  # noqa: DTZ001 - the timetable gives it its zone
    catchup=False,
    max_active_runs=1,
    max_active_tasks=200,
    deadline=ended_within(hours=3),
    default_args={
        "owner": client.owner,
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "on_failure_callback": FailureNotifier(),
    },
    tags=[Tag.IMPACT_HIGH, Tag.NIGHTLY, Tag.CLIENT_DEF],
) as dag:

    @task(pool=WAREHOUSE_POOL, outlets=mart_assets())
    def publish(**context: Any) -> dict[str, int]:
        """Put a fresh copy of the marts in the place of the last."""
        return serving_steps.publish_marts(context)

    build, marts = medallion(dag, DbtProject.of("client_def"))
    load_every_stream(dag, client) >> build
    marts >> publish()
