"""`make dbt`, `make airflow`, `make manifest`: the tools themselves, in the environment the stack gives them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from include.bronze.steps import connection_from_environment, snowflake_environment
from include.bronze.warehouses.lock import acquire_warehouse
from include.local.credentials import ensure_secrets
from include.local.environment import airflow_env
from include.local.folder import REPO, Place
from include.local.processes import PYTHON
from include.settings import DBT_PROJECT_DIR, Settings

# dbt commands that read the project only; every other one opens the warehouse, and DuckDB has one writer.
WITHOUT_WAREHOUSE = ("clean", "deps", "init", "list", "ls", "parse", "--help", "--version")


def dbt_arguments(rest: list[str], target: str) -> list[str]:
    """dbt's arguments with the project, the profile and the target where a person left them out."""
    where = [] if "--project-dir" in rest else ["--project-dir", str(DBT_PROJECT_DIR)]
    profiles = [] if "--profiles-dir" in rest else ["--profiles-dir", str(DBT_PROJECT_DIR)]
    chosen = [] if {"--target", "-t"} & set(rest) else ["--target", target]
    return [*rest, *where, *profiles, *chosen] if rest and rest[0] not in ("--help", "--version") else rest


def without_unit_tests(rest: list[str], files: Iterable[Path]) -> list[str]:
    """Options that leave unit tests out while Bronze is not there: dbt takes the columns of their inputs from it."""
    chosen = {"--exclude-resource-type", "--exclude-resource-types", "--resource-type", "--resource-types"} & set(rest)
    if rest[:1] not in (["build"], ["test"]) or chosen or all(is_loaded(file) for file in files):
        return []
    waiting("nothing has been loaded into Bronze yet, so the unit tests are left out; `make run` loads it")
    return ["--exclude-resource-type", "unit_test"]


def is_loaded(file: Path) -> bool:
    """Whether a client's database has any Bronze table."""
    import duckdb  # only here: it takes a tenth of a second, and no other tool needs it

    if not file.exists():
        return False
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = connection.execute("select 1 from duckdb_tables() where schema_name = 'BRONZE' limit 1")
        return tables.fetchone() is not None


def call_tool(tool: str, rest: list[str], configured: Settings, place: Place) -> int:
    """Run the tool in the foreground; its exit code is the answer."""
    place.make()
    env = airflow_env(os.environ, place.data, ensure_secrets(place.airflow))
    env |= configured.dbt_environment | configured.dbt_paths
    if tool == "manifest":
        return foreground([PYTHON, "-m", "include.orchestration.manifest", "build"], env)
    if tool == "airflow":
        return foreground([PYTHON, "-m", "airflow", *rest], env)
    env["DBT_USE_COLORS"] = str(sys.stdout.isatty())
    if configured.target.is_snowflake:
        env |= snowflake_environment(connection_from_environment)
    locks = []
    if configured.target.is_embedded and rest and rest[0] not in WITHOUT_WAREHOUSE:
        locks.append(acquire_warehouse(configured.warehouse_dir, f"make dbt {rest[0]}", report=waiting))
        rest = [*rest, *without_unit_tests(rest, map(configured.database_file, configured.clients))]
    dbt = str(Path(PYTHON).with_name("dbt"))
    return foreground([dbt, *dbt_arguments(rest, configured.target)], env, locks)


def waiting(text: str) -> None:
    print(f"dbt: {text}", file=sys.stderr, flush=True)


def foreground(argv: list[str], env: dict[str, str], locks: list[int] | None = None) -> int:
    """Run in this terminal. Ctrl-C reaches the tool itself, which ends in its own way; it holds the locks as well."""
    process = subprocess.Popen(argv, env=env, cwd=REPO, pass_fds=locks or [])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
