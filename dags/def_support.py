"""The Airflow DAG of client def's nights: plan, extract and load each stream, build the medallion, publish."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task

from include.orchestration import bronze_steps, serving_steps
from include.orchestration.alerts import ended_within, task_defaults
from include.orchestration.medallion import WAREHOUSE_POOL, DbtProject, holder, medallion
from include.orchestration.nightly import dbt_is_drawn, load_every_stream
from include.orchestration.tags import Tag
from include.settings import settings

client = settings().client("def")

with DAG(
    dag_id="def_support",
    description="Pylon and Plain into Bronze, Bronze into the marts, the marts into the published copy",
    doc_md="""
Loads every night that is not loaded yet, builds the dbt selector `client_def`, and publishes the result.

- `plan` reads the ledger and lists the batches to load. A cleared run keeps the list it had.
- `<source>.extract…` reads an API into landing: a task for each rate limit, so one per endpoint of Pylon and one of
  Plain. `<source>.load` takes each batch in, whole or not at all. A stream that fails stops no other, but the build.
- `build` does the work of every task in group `dbt`; a model that fails there runs again by itself, with its own log.
- `reconcile` holds what was loaded against landing, ledger and tables. That no row was lost on the way up is proved by
  the tests of the marts themselves.
- `publish` puts a fresh read-only copy in place.

**If it fails:** the red task's last log line says what happened and what to do. Clear it to go on from there.
""",
    schedule=CronDataIntervalTimetable(client.schedule, timezone=client.timezone),
    start_date=datetime(2025, 1, 1),  # noqa: DTZ001 - the timetable gives it its zone
    catchup=False,
    max_active_runs=1,
    max_active_tasks=200,
    deadline=ended_within(hours=3),
    default_args=task_defaults(client.owner),
    tags=[Tag.IMPACT_HIGH, Tag.NIGHTLY, Tag.CLIENT_DEF],
) as dag:

    @task(pool=WAREHOUSE_POOL)
    def reconcile(**context: Any) -> int:
        """Hold what this run has loaded against landing, the ledger and the tables."""
        return bronze_steps.reconcile(client.code, dag.dag_id, context["run_id"], holder(context))

    loads = load_every_stream(dag, client)
    reconciled = reconcile()
    reconciled >> serving_steps.publish_task(dag)
    if dbt_is_drawn():
        build, marts = medallion(dag, DbtProject.of("client_def"))
        loads >> build
        marts >> reconciled
