"""The medallion as Cosmos runs it by itself, in the two modes a user would pick: what `orchestration` compares with."""

from __future__ import annotations

import os

from airflow.sdk import DAG
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, LoadMode, TestBehavior

from include.orchestration.manifest import manifest_path
from include.settings import DBT_PROJECT_DIR, settings

current = settings()
# LOCAL is given a slice: a process for each of the 280 tasks would take the better part of an hour.
MODES = {
    "peer_watcher": (ExecutionMode.WATCHER, []),
    "peer_local": (ExecutionMode.LOCAL, os.environ["BENCHMARK_SLICE"].split(",")),
}

for dag_id, (mode, models) in MODES.items():
    with DAG(dag_id=dag_id, schedule=None, max_active_runs=1, max_active_tasks=200) as dag:
        DbtTaskGroup(
            group_id="dbt",
            project_config=ProjectConfig(
                dbt_project_path=DBT_PROJECT_DIR,
                manifest_path=manifest_path("client_def", current),
                install_dbt_deps=False,
            ),
            profile_config=ProfileConfig(
                profile_name="default",
                target_name=str(current.target),
                profiles_yml_filepath=DBT_PROJECT_DIR / "profiles.yml",
            ),
            render_config=RenderConfig(
                load_method=LoadMode.DBT_MANIFEST, test_behavior=TestBehavior.AFTER_EACH, select=models
            ),
            execution_config=ExecutionConfig(execution_mode=mode),
            operator_args={
                "install_deps": False,
                # Two processes cannot write one DuckDB file. WATCHER's sensors do not write.
                **({"pool": "warehouse"} if mode is ExecutionMode.LOCAL else {}),
                "env": dict(current.dbt_environment),
                "append_env": True,
                "exclude": ["resource_type:unit_test"],
            },
        )
    globals()[dag_id] = dag
