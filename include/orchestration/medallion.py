"""The dbt project as Airflow tasks: the Cosmos group of one selector, and the build that fast-forwards it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, LoadMode, TestBehavior, TestIndirectSelection

from include.bronze.steps import snowflake_environment
from include.bronze.warehouses.lock import hold_until_exit
from include.orchestration.bronze_steps import find_connection
from include.orchestration.fast_forward import DbtFastForwardBuildOperator
from include.orchestration.graph import waiting_for_tests
from include.orchestration.manifest import manifest_path
from include.settings import DBT_PROJECT_DIR, RUNS, settings

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


@dataclass(frozen=True)
class DbtProject:
    """One selector of a dbt project, as Airflow shows and runs it."""

    folder: Path
    selector: str
    slim_manifest: Path
    profile: str
    target: str
    state: Path  # where dbt's cache and the journals of builds are kept
    environment: Mapping[str, str]

    @classmethod
    def of(cls, selector: str) -> DbtProject:
        """A selector of this project's own dbt project, by the settings."""
        current = settings()
        return cls(
            folder=DBT_PROJECT_DIR,
            selector=selector,
            slim_manifest=manifest_path(selector, current),
            profile="default",
            target=str(current.target),
            state=current.dbt_dir,
            environment=current.dbt_environment,
        )


def medallion(
    dag: DAG, project: DbtProject, *, api_conn_id: str = "airflow_api", retry_delay: timedelta = timedelta(seconds=5)
) -> tuple[DbtFastForwardBuildOperator, DbtTaskGroup]:
    """Add one selector's models and tests to a DAG, with the build that does their work upstream of all of them."""
    manifest = project.slim_manifest
    profile = ProfileConfig(
        profile_name=project.profile,
        target_name=project.target,
        profiles_yml_filepath=project.folder / "profiles.yml",
    )
    common: dict[str, Any] = {
        "install_deps": False,
        "pool": WAREHOUSE_POOL,
        "env": dict(project.environment),
        "append_env": True,
        "interceptors": [lock_warehouse, log_in_to_snowflake],
    }
    rendered = ProjectConfig(dbt_project_path=project.folder, manifest_path=manifest, install_dbt_deps=False)
    # As a plain path again: Cosmos made it one of object storage, which loads every provider to open a local file.
    rendered.manifest_path = manifest
    group = DbtTaskGroup(
        group_id="dbt",
        project_config=rendered,
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
    # Cosmos lets nothing wait for a test of several models; dbt does, and so must a model that runs by itself.
    for test, models in waiting_for_tests(json.loads(manifest.read_text())["nodes"]).items():
        for model in sorted(models) if test in group.tasks_map else ():
            group.tasks_map[test] >> group.tasks_map[model]
    build = DbtFastForwardBuildOperator(
        task_id="build",
        slim_manifest=manifest,
        results_dir=project.state / RUNS,
        api_conn_id=api_conn_id,
        project_dir=str(project.folder),
        profile_config=profile,
        selector=project.selector,
        dbt_cmd_flags=["--exclude-resource-type", "unit_test"],
        # Without a cache of its own dbt would parse the whole project again in every run.
        cache_dir=project.state / "cache" / project.selector,
        retries=1,
        retry_delay=retry_delay,
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
