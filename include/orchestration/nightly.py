"""The Bronze half of a client's nightly DAG: one plan, then extract and load per stream."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, TaskGroup, TriggerRule, task

from include.bronze.streams import Cadence
from include.orchestration import bronze_steps
from include.orchestration.medallion import WAREHOUSE_POOL, holder
from include.orchestration.retries import SOURCE_RETRIES
from include.settings import Client


def load_every_stream(dag: DAG, client: Client, *, cadence: Cadence = Cadence.NIGHTLY, sync: bool = False) -> list[Any]:
    """Add the tasks that load a client's streams to a DAG. Those are returned that must be done before a build.

    With `sync` they read up to now instead of up to the last night, and no files.
    A stream that is read for each record of another is extracted after that one; otherwise they run side by side, as
    far as the pool of their connection lets them.
    """

    @task(pool=WAREHOUSE_POOL, dag=dag)
    def plan(**context: Any) -> dict[str, list[dict[str, str]]]:
        """List the batches this run must load."""
        run = (client.code, dag.dag_id, context["run_id"])
        if sync:
            return bronze_steps.sync_plan(*run, holder(context))
        return bronze_steps.plan(*run, context.get("data_interval_end"), cadence, holder(context))

    @task(retry_policy=SOURCE_RETRIES, retries=3, dag=dag)
    def extract(stream: str, planned: list[dict[str, str]], **context: Any) -> list[str]:
        """Read the planned batches of one stream into landing."""
        return bronze_steps.extract(client.code, stream, planned, context["run_id"], holder(context))

    @task(pool=WAREHOUSE_POOL, dag=dag)
    def load(stream: str, batch_ids: list[str], **context: Any) -> dict[str, list[dict[str, Any]]]:
        """Take the landed batches of one stream into Bronze."""
        return bronze_steps.load(client.code, stream, batch_ids, context["run_id"], holder(context))

    @task(pool=WAREHOUSE_POOL, trigger_rule=TriggerRule.ALL_DONE, dag=dag)
    def record_attempts(**context: Any) -> dict[str, int]:
        """Note in the ledger what was tried, also where it failed."""
        return bronze_steps.record_attempts(client.code, dag.dag_id, context["run_id"], holder(context))

    planned: Any = plan()
    landed: dict[str, Any] = {}
    loads = []
    for stream in client.streams:
        if stream.spec.cadence is not cadence or (sync and stream.source.connection is None):
            continue
        with TaskGroup(stream.name, tooltip=stream.spec.description, dag=dag):
            pool = {"pool": stream.source.connection} if stream.source.connection else {}
            landed[stream.name] = extract.override(**pool)(stream.name, planned[stream.name])
            if stream.parent:
                landed[stream.parent] >> landed[stream.name]
            loads.append(load(stream.name, landed[stream.name]))
    recorded: Any = record_attempts()
    loads >> recorded
    return [*loads, recorded]
