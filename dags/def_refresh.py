"""The Airflow DAG that builds client def's marts again when what it shares with other clients has changed."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowSkipException

from include.orchestration import bronze_steps, dbt_call, serving_steps
from include.orchestration.alerts import task_defaults
from include.orchestration.marts import REFERENCE
from include.orchestration.medallion import WAREHOUSE_POOL, holder
from include.orchestration.tags import Tag
from include.settings import settings

client = settings().client("def")

with DAG(
    dag_id="def_refresh",
    description="The marts again, over a new roster or new CRM accounts; calls no vendor",
    doc_md="""
Starts by itself when `core_reference` has loaded something (asset `reference.core`), builds the dbt selector
`client_def` in one task, and publishes. It loads nothing, and is skipped where a night is still to be loaded: its run
builds the same.

**If it fails:** the red task's last log line says what happened and what to do. The night makes up for it in any case.
""",
    schedule=[REFERENCE],
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(client.owner),
    tags=[Tag.IMPACT_LOW, Tag.REFERENCE, Tag.CLIENT_DEF],
) as dag:

    @task(pool=WAREHOUSE_POOL)
    def build(**context: Any) -> list[str]:
        """Build everything of the client, with its tests, unless its night is about to do the same."""
        who = holder(context)
        if bronze_steps.awaits_a_night(client.code, who):
            raise AirflowSkipException("a night is still to be loaded, and its run builds all of this")
        return dbt_call.build(["--selector", "client_def"], who)

    build() >> serving_steps.publish_task(dag)
