"""The Airflow DAG of client def's nights: plan, extract and load each stream, build the medallion, publish."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, TaskGroup, task

from include.orchestration import bronze_steps, serving_steps
from include.orchestration.medallion import WAREHOUSE_POOL, holder, medallion
from include.orchestration.retries import SOURCE_RETRIES
from include.orchestration.tags import Tag
from include.settings import settings

client = settings().client("def")

with DAG(
    dag_id="def_support",
    description="Pylon into Bronze, Bronze into the marts, the marts into the published copy",
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
    default_args={"owner": client.owner, "retries": 2, "retry_delay": timedelta(seconds=30)},
    tags=[Tag.IMPACT_HIGH, Tag.NIGHTLY, Tag.CLIENT_DEF],
) as dag:

    @task(pool=WAREHOUSE_POOL)
    def plan(**context: Any) -> dict[str, dict[str, Any]]:
        """List the batches this run must load."""
        return bronze_steps.plan(
            client.code, dag.dag_id, context["run_id"], context["data_interval_end"], holder(context)
        )

    @task(retry_policy=SOURCE_RETRIES, retries=3)
    def extract(stream: str, planned: dict[str, Any], **context: Any) -> list[str]:
        """Read the planned batches of one stream into landing."""
        return bronze_steps.extract_stream(client.code, stream, planned, context["run_id"])

    @task(pool=WAREHOUSE_POOL)
    def load(stream: str, batch_ids: list[str], **context: Any) -> list[dict[str, Any]]:
        """Take the landed batches of one stream into Bronze."""
        return bronze_steps.load_stream(client.code, stream, batch_ids, context["run_id"], holder(context))

    @task(pool=WAREHOUSE_POOL, outlets=[Asset("mart.def_support")])
    def publish(**context: Any) -> dict[str, int]:
        """Put a fresh copy of the marts in the place of the last."""
        return serving_steps.publish_marts(holder(context))

    planned = plan()
    build, medallion_group = medallion(dag, "client_def")
    for stream in client.streams:
        with TaskGroup(stream.name, tooltip=stream.spec.description):
            landed = extract.override(pool=stream.source.connection)(stream.name, planned[stream.name])
            load(stream.name, landed) >> build
    medallion_group >> publish()
