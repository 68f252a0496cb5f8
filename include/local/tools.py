"""`make dbt`, `make airflow`, `make manifest`: the tools themselves, in the environment the stack gives them."""

from __future__ import annotations

import os
import subprocess

from include.local.credentials import ensure_secrets
from include.local.environment import airflow_env
from include.local.folder import REPO, Place
from include.local.processes import PYTHON
from include.settings import DBT_PROJECT_DIR, Settings


def call_tool(tool: str, rest: list[str], configured: Settings, place: Place) -> int:
    """Run the tool in the foreground; its exit code is the answer."""
    env = airflow_env(os.environ, place.data, ensure_secrets(place.airflow)) | configured.dbt_environment
    if tool == "manifest":
        return foreground([PYTHON, "-m", "include.orchestration.manifest", "build"], env)
    if tool == "airflow":
        return foreground([PYTHON, "-m", "airflow", *rest], env)
    where = ["--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)]
    target = [] if "--target" in rest else ["--target", str(configured.target)]
    return foreground([PYTHON, "-m", "dbt.cli.main", *rest, *where, *target], env)


def foreground(argv: list[str], env: dict[str, str]) -> int:
    """Run in this terminal. Ctrl-C reaches the tool itself, which ends in its own way."""
    process = subprocess.Popen(argv, env=env, cwd=REPO)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
