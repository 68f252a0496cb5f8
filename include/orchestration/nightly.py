"""The Bronze half of a client's nightly DAG: one plan, an extract for each rate limit, a load for each source."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, TaskGroup, TriggerRule, get_parsing_context, task

from include.bronze.steps import Plan, rate_bucket
from include.bronze.streams import Cadence
from include.orchestration import bronze_steps
from include.orchestration.alerts import tell_of_held
from include.orchestration.medallion import WAREHOUSE_POOL, holder
from include.orchestration.retries import SOURCE_RETRIES
from include.settings import Client, ClientStream


def load_every_stream(dag: DAG, client: Client, *, cadence: Cadence = Cadence.NIGHTLY, sync: bool = False) -> list[Any]:
    """Add the tasks that load a client's streams to a DAG. Those are returned that must be done before a build.

    With `sync` they read up to now instead of up to the last night, and no files.
    Streams that share a rate limit would only wait for each other, and a process costs more than a directory's worth of
    reading: one task reads them in turn. A stream that is read for each record of another is extracted after that one;
    otherwise tasks run side by side, as far as the pool of their connection lets them. Loads have one writer, so there
    is one task for a source, and it names each stream that failed.
    """

    @task(pool=WAREHOUSE_POOL, retry_policy=SOURCE_RETRIES, dag=dag)
    def plan(**context: Any) -> Plan:
        """List the batches this run must load."""
        run = (client.code, dag.dag_id, context["run_id"])
        if sync:
            return bronze_steps.sync_plan(*run, holder(context))
        return bronze_steps.plan(*run, context.get("data_interval_end"), cadence, holder(context))

    @task(retry_policy=SOURCE_RETRIES, retries=3, dag=dag)
    def extract(planned: Plan, **context: Any) -> dict[str, list[str]]:
        """Read the planned batches of streams that share a rate limit into landing."""
        return bronze_steps.extract(client.code, planned, context["run_id"], holder(context))

    # What is landed is loaded also if a stream beside it could not be read. The build waits for all of them.
    @task(pool=WAREHOUSE_POOL, trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS, dag=dag)
    def load(planned: Plan, **context: Any) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Take what is landed of a source's streams into Bronze, each batch whole or not at all."""
        loads = bronze_steps.load(client.code, planned, context["run_id"], holder(context))
        tell_of_held(loads, context)
        return loads

    @task(pool=WAREHOUSE_POOL, trigger_rule=TriggerRule.ALL_DONE, dag=dag)
    def record_attempts(**context: Any) -> dict[str, int]:
        """Note in the ledger what was tried, also where it failed."""
        return bronze_steps.record_attempts(client.code, dag.dag_id, context["run_id"], holder(context))

    planned: Any = plan()
    read: list[Any] = []
    loads: list[Any] = []
    for source, buckets in _rate_buckets(client, cadence, sync=sync).items():
        with TaskGroup(source, tooltip=", ".join(one.spec.object for streams in buckets for one in streams), dag=dag):
            reads: dict[str, Any] = {}
            for streams in buckets:
                task_id = f"extract_{streams[0].spec.object}" if len(buckets) > 1 else "extract"
                pool = {"pool": connection} if (connection := streams[0].source.connection) else {}
                reading = extract.override(task_id=task_id, **pool)({one.name: planned[one.name] for one in streams})
                for stream in streams:
                    if stream.parent and stream.parent not in (one.name for one in streams):
                        reads[stream.parent] >> reading
                    reads[stream.name] = reading
            loading = load({name: planned[name] for name in reads})
            list(reads.values()) >> loading
            read += reads.values()
            loads.append(loading)
    recorded: Any = record_attempts()
    loads >> recorded
    return [*read, *loads, recorded]


def dbt_is_drawn() -> bool:
    """Whether whoever reads a DAG file looks for dbt's tasks.

    Each task's process reads its file again, only to find itself. Drawing a few hundred dbt tasks takes it longer than
    most of Bronze's work does, so they are left out there.
    """
    task_id = get_parsing_context().task_id
    return task_id is None or task_id == "build" or task_id.startswith("dbt.")


def _rate_buckets(client: Client, cadence: Cadence, *, sync: bool) -> dict[str, list[list[ClientStream]]]:
    """The streams to read, by source, and in it by what their calls are paced with; parents before their children."""
    sources: dict[str, dict[str, list[ClientStream]]] = {}
    for stream in sorted(client.streams, key=lambda one: one.parent is not None):
        if stream.spec.cadence is cadence and not (sync and stream.source.connection is None):
            sources.setdefault(stream.source_name, {}).setdefault(rate_bucket(stream), []).append(stream)
    return {source: list(buckets.values()) for source, buckets in sources.items()}
