"""The dbt project as Airflow tasks: the Cosmos group of one selector, and the build that fast-forwards it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, LoadMode, TestBehavior, TestIndirectSelection

from include.bronze.steps import snowflake_environment
from include.bronze.warehouses.lock import hold_until_exit
from include.orchestration.bronze_steps import find_connection
from include.orchestration.fast_forward import DbtFastForwardBuildOperator
from include.orchestration.manifest import manifest_path
from include.settings import DBT_PROJECT_DIR, settings

WAREHOUSE_POOL = "warehouse"
NO_UNIT_TESTS = "resource_type:unit_test"


def holder(context: Any) -> str:
    """How a task names itself to others who want the warehouse."""
    ti = context["ti"]
    return f"{ti.dag_id} {context['run_id']} {ti.task_id}"


def lock_warehouse(context: Any, _operator: Any) -> None:
    """Taken before every dbt command and kept until its process ends. Only the embedded engine needs it."""
    current = settings()
    if current.target.is_embedded:
        hold_until_exit(current.warehouse_dir, holder(context))


def log_in_to_snowflake(_context: Any, operator: Any) -> None:
    """Hand dbt the Airflow connection, in the names its profile reads. No secret is read before a task runs."""
    if settings().target.is_snowflake:
        operator.env = {**operator.env, **snowflake_environment(find_connection)}


def medallion(dag: DAG, selector: str) -> tuple[DbtFastForwardBuildOperator, DbtTaskGroup]:
    """Add one selector's models and tests to a DAG, with the build that does their work upstream of all of them."""
    current = settings()
    manifest = manifest_path(selector, current)
    profile = ProfileConfig(
        profile_name="default",
        target_name=str(current.target),
        profiles_yml_filepath=DBT_PROJECT_DIR / "profiles.yml",
    )
    common: dict[str, Any] = {
        "install_deps": False,
        "pool": WAREHOUSE_POOL,
        "env": current.dbt_environment,
        "append_env": True,
        "interceptors": [lock_warehouse, log_in_to_snowflake],
    }
    project = ProjectConfig(dbt_project_path=DBT_PROJECT_DIR, manifest_path=manifest, install_dbt_deps=False)
    # As a plain path again: Cosmos made it one of object storage, which loads every provider to open a local file.
    project.manifest_path = manifest
    group = DbtTaskGroup(
        group_id="dbt",
        project_config=project,
        profile_config=profile,
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.AFTER_EACH,
            should_detach_multiple_parents_tests=True,
        ),
        # Tests of several models are tasks of their own, so a model's test task runs only what is that model's alone.
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.LOCAL, test_indirect_selection=TestIndirectSelection.CAUTIOUS
        ),
        # The exclusion is given to the tasks and not to the rendering: Cosmos draws what it selects in a random order,
        # and each start of the DAG processor would find another version of the DAG.
        operator_args=common | {"exclude": [NO_UNIT_TESTS]},
        dag=dag,
    )
    build = DbtFastForwardBuildOperator(
        task_id="build",
        slim_manifest=manifest,
        results_dir=current.dbt_dir / "runs",
        project_dir=str(DBT_PROJECT_DIR),
        profile_config=profile,
        selector=selector,
        dbt_cmd_flags=["--exclude-resource-type", "unit_test"],
        # Without a cache of its own dbt would parse the whole project again in every run.
        cache_dir=current.dbt_dir / "cache" / selector,
        retries=1,
        retry_delay=timedelta(seconds=5),
        doc_md="One `dbt build` of the whole selector. Closes the tasks of every node that turns green; "
        "a task it leaves open runs by itself next.",
        dag=dag,
        **common,
    )
    # An edge to every task, not only to the first: else a model would start as soon as its parent is closed, while this
    # build is still at it.
    for task in group.iter_tasks():
        build >> task
    return build, group
