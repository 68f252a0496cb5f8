"""The Airflow DAG of client def's "sync now": what changed since the last load, up to this minute."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task

from include.orchestration import dbt_call, serving_steps
from include.orchestration.alerts import task_defaults
from include.orchestration.medallion import WAREHOUSE_POOL, holder
from include.orchestration.nightly import load_every_stream
from include.orchestration.tags import Tag
from include.settings import settings

client = settings().client("def")

with DAG(
    dag_id="def_sync_now",
    description="What changed since the last load, up to now: vendors into Bronze, Bronze into the marts, published",
    doc_md="""
Reads every API stream from the end of what is covered up to now, less the time a vendor's index may lag, builds the dbt
selector `client_def` in one task, and publishes. The night reads the same hours again, so nothing depends on a sync.

On demand; hourly if `sync` is set in `include/clients/def.yaml`.

**If it fails:** the red task's last log line says what happened and what to do. The night makes up for it in any case.
""",
    schedule=CronDataIntervalTimetable(client.sync, timezone=client.timezone) if client.sync else None,
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(client.owner),
    tags=[Tag.IMPACT_MEDIUM, Tag.ON_DEMAND, Tag.CLIENT_DEF],
) as dag:

    @task(pool=WAREHOUSE_POOL)
    def build(**context: Any) -> list[str]:
        """Build everything of the client, with its tests."""
        return dbt_call.build(["--selector", "client_def"], holder(context))

    load_every_stream(dag, client, sync=True) >> build() >> serving_steps.publish_task(dag)
