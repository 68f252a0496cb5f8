"""The Airflow DAG that loads one batch again and rebuilds what depends on it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowFailException

from include.orchestration import bronze_steps, dbt_call, run_notes, serving_steps
from include.orchestration.alerts import task_defaults
from include.orchestration.forms import OF_THE_BATCH, REEXTRACT, REPLAY, Rerun, rerun_of
from include.orchestration.medallion import WAREHOUSE_POOL, holder
from include.orchestration.tags import Tag
from include.settings import settings

clients = settings().clients

with DAG(
    dag_id="rerun_batch",
    description="One batch again, by replay or by asking the vendor, and what depends on it",
    doc_md="""
Loads one batch again, with the same window of every stream that is read for its records, and rebuilds every model that
depends on them. **Replay** takes what is landed and calls nobody; asking the vendor again may shrink an old window, and
is held back unless you allow it.

Find a batch id in a load task's log, in `INGEST_BATCHES`, or with `python -m include.bronze attempts`.

**If it fails:** the red task's last log line says what to correct. Nothing is half-loaded.
""",
    schedule=None,
    max_active_runs=1,
    default_args=task_defaults(retries=1),
    tags=[Tag.IMPACT_MEDIUM, Tag.ON_DEMAND],
    params={
        "batch_id": Param(
            "",
            type="string",
            title="Batch",
            description="client__stream__start__end, such as def__pylon_issues__20260104T060000Z__20260105T060000Z",
        ),
        "client": Param(
            OF_THE_BATCH,
            type="string",
            enum=[OF_THE_BATCH, *clients],
            title="Client",
            description="A check against a slip: if one is chosen, it must be the batch's",
        ),
        "stream": Param(
            OF_THE_BATCH,
            type="string",
            enum=[OF_THE_BATCH, *sorted({stream.name for client in clients.values() for stream in client.streams})],
            title="Stream",
            description="The same",
        ),
        "how": Param(
            REPLAY,
            type="string",
            enum=[REPLAY, REEXTRACT],
            title="How",
            description="A replay is exact. The vendor no longer delivers in an old window what has changed since.",
        ),
        "may_shrink": Param(
            False,
            type="boolean",
            title="The batch may lose records",
            description="Only with asking again: load it also if it lacks records that the batch holds now.",
        ),
    },
) as dag:

    @task(retries=1)
    def check(**context: Any) -> dict[str, Any]:
        """Read the form. What makes no sense fails here, with a sentence, and is not tried again."""
        try:
            request = rerun_of(
                context["params"],
                clients,
                lambda client, stream: bronze_steps.landed_batches(client, stream, holder(context)),
            )
        except ValueError as error:
            raise AirflowFailException(str(error)) from None
        return asdict(request)

    @task(pool=WAREHOUSE_POOL)
    def load(request: dict[str, Any], **context: Any) -> list[dict[str, Any]]:
        """Load the batch and its children again."""
        return bronze_steps.rerun(Rerun(**request), context["run_id"], holder(context))

    @task(pool=WAREHOUSE_POOL)
    def rebuild(request: dict[str, Any], **context: Any) -> list[str]:
        """Build every model that depends on what was loaded, with its tests."""
        return dbt_call.build(["--select", *request["select"]], holder(context))

    @task
    def note(loads: list[dict[str, Any]], models: list[str], **context: Any) -> None:
        """Say on the run what it changed."""
        run_notes.note_run(dag.dag_id, context["run_id"], run_notes.rerun_note(loads, models))

    request: Any = check()
    loads: Any = load(request)
    models: Any = rebuild(request)
    loads >> models >> serving_steps.publish_task(dag) >> note(loads, models)
