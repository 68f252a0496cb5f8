"""The Airflow DAG that keeps house: landing, the ledger's word, stale relations, the project's documentation."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, TaskGroup, task

from include.bronze.retention import KEEP
from include.orchestration import bronze_steps
from include.orchestration.alerts import task_defaults
from include.orchestration.dbt_call import call_dbt, write_docs
from include.orchestration.medallion import WAREHOUSE_POOL, holder
from include.orchestration.tags import Tag
from include.settings import settings

clients = settings().clients

with DAG(
    dag_id="maintenance",
    description="Weekly: landing's retention, verify, relations that no model builds, the dbt documentation",
    doc_md="""
- `<client>.verify` holds landing, ledger and tables against each other, and fails with what disagrees.
- `<client>.expire` removes landed attempts that nothing will read again. What was loaded always stays.
- `stale_relations` lists in its log what lies in Silver and Gold and no model builds. Nothing is dropped.
- `docs` writes dbt's documentation into the data folder.

**If it fails:** the red task's last log line says what disagrees. `python -m include.bronze replay BATCH_ID` puts a
batch back as it was loaded.
""",
    schedule=CronDataIntervalTimetable("30 5 * * 0", timezone="UTC"),
    start_date=datetime(2025, 1, 1),  # noqa: DTZ001 - the timetable gives it its zone
    catchup=False,
    max_active_runs=1,
    default_args=task_defaults(retries=1, retry_delay=timedelta(minutes=1)),
    tags=[Tag.IMPACT_LOW, Tag.WEEKLY, Tag.HOUSEKEEPING],
    params={
        "keep_days": Param(
            KEEP.days,
            type="integer",
            minimum=1,
            title="Days to keep",
            description="What is younger stays",
        )
    },
) as dag:

    @task(pool=WAREHOUSE_POOL)
    def verify(client: str, **context: Any) -> None:
        """Hold landing, ledger and tables against each other."""
        bronze_steps.verify_bronze(client, holder(context))

    @task(pool=WAREHOUSE_POOL)
    def expire(client: str, **context: Any) -> dict[str, int]:
        """Remove landed attempts that nothing will read again."""
        return bronze_steps.expire_landing(client, context["params"]["keep_days"], holder(context))

    @task(pool=WAREHOUSE_POOL)
    def stale_relations(**context: Any) -> None:
        """List what no model builds."""
        call_dbt(["run-operation", "stale_relations"], holder(context))

    @task(pool=WAREHOUSE_POOL)
    def docs(**context: Any) -> str:
        """Write dbt's documentation."""
        return str(write_docs(holder(context)))

    for code, client in clients.items():
        if client.streams:
            with TaskGroup(code):
                verify(code) >> expire(code)
    stale_relations()
    docs()
