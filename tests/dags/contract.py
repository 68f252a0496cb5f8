"""What every DAG file owes the people who run it: one function per promise, each a list of what is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from include.orchestration.tags import Tag

ROOT = Path(__file__).resolve().parents[2]
PARSE_BUDGET_SECONDS = 0.5
IMPACT = {tag.value for tag in Tag if tag.name.startswith("IMPACT_")}

File = dict[str, Any]
Facts = dict[str, Any]


def parse(folder: Path, scratch: Path, **environment: str) -> Facts:
    """Parse the folder in an Airflow of its own, whose home is `scratch`."""
    output = scratch / "parsed.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.dags.parse", str(folder), str(output)],
        cwd=ROOT,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW__")},
            "AIRFLOW_HOME": str(scratch / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
            "AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"the parser itself failed on {folder}:\n{done.stdout}\n{done.stderr}"
    facts: Facts = json.loads(output.read_text(encoding="utf-8"))
    return facts


def data_with_manifest(tests: pytest.TempPathFactory) -> Path:
    """A data folder with what the DAGs are drawn from, made once for all tests as `make manifest` makes it."""
    data = tests.getbasetemp() / "data_with_manifest"
    if not data.exists():
        done = subprocess.run(
            [sys.executable, "-m", "include.orchestration.manifest", "build"],
            cwd=ROOT,
            env={**os.environ, "SUPPORT_DATA_DIR": str(data)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"no manifest to parse dags/ with:\n{done.stdout}\n{done.stderr}"
    return data


def has_no_import_error(file: File, _facts: Facts) -> Iterator[str]:
    if file["import_error"]:
        yield f"cannot be imported: {file['import_error'].strip().splitlines()[-1]}"


def is_seen_by_airflow(file: File, _facts: Facts) -> Iterator[str]:
    """Safe-mode discovery reads only files that contain `airflow` and `dag` or `asset`, and skips the rest silently."""
    if not file["seen_by_airflow"]:
        yield 'is skipped by safe-mode discovery: it has to contain the words "airflow" and "dag"'
    elif not file["dags"] and not file["import_error"]:
        yield "defines no DAG"


def is_not_taken_for_a_dbt_plugin(file: File, _facts: Facts) -> Iterator[str]:
    """dbt imports every importable module called dbt_* as a plugin, and with it the DAGs."""
    if Path(file["name"]).name.startswith("dbt_"):
        yield "is called dbt_*, which dbt imports as a plugin; rename it"


def does_no_io_while_parsed(file: File, _facts: Facts) -> Iterator[str]:
    yield from file["attempts"]


def parses_within_budget(file: File, _facts: Facts) -> Iterator[str]:
    """Airflow 3 parses the file again in every task, so its cost is paid per task."""
    seconds = file["warm_seconds"]
    if seconds is not None and seconds >= PARSE_BUDGET_SECONDS:
        yield f"takes {seconds:.2f} s to parse, the budget is {PARSE_BUDGET_SECONDS} s"


def is_the_same_at_every_parse(file: File, _facts: Facts) -> Iterator[str]:
    """A value that changes with every parse makes a new DAG version every time."""
    if file["varies"]:
        yield file["varies"]


def states_its_schedule(file: File, _facts: Facts) -> Iterator[str]:
    for line in file["unscheduled_lines"]:
        yield f"line {line} makes a DAG without saying schedule="


def has_an_owner(file: File, facts: Facts) -> Iterator[str]:
    for dag in file["dags"]:
        for task in dag["tasks"]:
            if task["owner"] in ("", facts["default_owner"]):
                yield f"{dag['dag_id']}.{task['task_id']} has no owner of its own (it is {task['owner']!r})"
                break


def is_tagged_from_the_list(file: File, _facts: Facts) -> Iterator[str]:
    allowed = {tag.value for tag in Tag}
    for dag in file["dags"]:
        if unknown := [tag for tag in dag["tags"] if tag not in allowed]:
            yield f"{dag['dag_id']} has the tag {unknown[0]!r}, which is not in include/orchestration/tags.py"
        if not IMPACT.intersection(dag["tags"]):
            yield f"{dag['dag_id']} says no impact: one of {', '.join(sorted(IMPACT))}"


def is_documented(file: File, _facts: Facts) -> Iterator[str]:
    for dag in file["dags"]:
        if not (dag["doc_md"] or "").strip():
            yield f"{dag['dag_id']} has no doc_md"


def retries(file: File, _facts: Facts) -> Iterator[str]:
    """Everything is retried once; what talks to a vendor twice."""
    for dag in file["dags"]:
        for task in dag["tasks"]:
            wanted = 2 if "extract" in task["task_id"] else 1
            if task["retries"] < wanted:
                yield f"{dag['dag_id']}.{task['task_id']} retries {task['retries']} times, expected {wanted} or more"


CONTRACT: tuple[Callable[[File, Facts], Iterator[str]], ...] = (
    has_no_import_error,
    is_seen_by_airflow,
    is_not_taken_for_a_dbt_plugin,
    does_no_io_while_parsed,
    parses_within_budget,
    is_the_same_at_every_parse,
    states_its_schedule,
    has_an_owner,
    is_tagged_from_the_list,
    is_documented,
    retries,
)


def broken(facts: Facts) -> dict[str, list[str]]:
    """Promise → every way a file breaks it; empty when the folder keeps the contract."""
    found = {
        promise.__name__: [f"{file['name']}: {what}" for file in facts["files"] for what in promise(file, facts)]
        for promise in CONTRACT
    }
    return {name: problems for name, problems in found.items() if problems}
