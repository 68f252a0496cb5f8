"""The Airflow DAG that runs one dbt command from a form."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowFailException

from include.orchestration import run_notes
from include.orchestration.alerts import task_defaults
from include.orchestration.dbt_call import call_dbt
from include.orchestration.forms import COMMANDS, NO_SELECTOR, dbt_arguments
from include.orchestration.manifest import SELECTORS
from include.orchestration.medallion import WAREHOUSE_POOL, holder
from include.orchestration.tags import Tag

with DAG(
    dag_id="dbt_console",
    description="One dbt command, from a form",
    doc_md="""
Runs dbt on the warehouse, under its lock, with what the form says and nothing else. `publish` of the next nightly run
brings the result to readers.

**If it fails:** the task's log holds dbt's own messages; a form that makes no sense is answered with one sentence.
""",
    schedule=None,
    max_active_runs=1,
    default_args=task_defaults(retries=1),
    tags=[Tag.IMPACT_MEDIUM, Tag.ON_DEMAND],
    params={
        "command": Param("build", type="string", enum=list(COMMANDS), title="Command"),
        "select": Param(
            None,
            type=["null", "string"],
            title="Select",
            description="As after dbt's --select: fct_def_tickets+, tag:silver, def_pylon_issues; several with spaces",
        ),
        "exclude": Param(None, type=["null", "string"], title="Exclude", description="The same, after --exclude"),
        "selector": Param(
            NO_SELECTOR,
            type="string",
            enum=[NO_SELECTOR, *SELECTORS],
            title="Selector",
            description="In the place of select: what a nightly run builds",
        ),
        "full_refresh": Param(
            False,
            type="boolean",
            title="Full refresh",
            description="Rebuild incremental models from all of Bronze; the result is the same, it takes longer",
        ),
        "vars": Param(
            None, type=["null", "object"], title="Vars", description='dbt variables, such as {"as_of": "2026-01-05"}'
        ),
    },
) as dag:

    @task(pool=WAREHOUSE_POOL)
    def dbt(**context: Any) -> list[str]:
        """Run the command and note on the run what it did."""
        try:
            arguments = dbt_arguments(context["params"], SELECTORS)
        except ValueError as error:
            raise AirflowFailException(str(error)) from None
        outcome = call_dbt(arguments, holder(context))
        run_notes.note_run(dag.dag_id, context["run_id"], f"dbt {' '.join(arguments)}\n{outcome.summary}")
        return outcome.models

    dbt()
