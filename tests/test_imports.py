"""Imports point one way (docs/adr/001)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
ALLOWED = {
    # the doors of the room read configuration; what is behind them takes plain values
    "include.bronze.steps": {"include.bronze", "include.settings", "include.snowflake"},
    "include.bronze.__main__": {"include.bronze", "include.settings"},
    "include.bronze.smoke": {"include.bronze", "include.settings", "include.snowflake"},
    "include.bronze.warehouses.snowflake": {"include.bronze", "include.snowflake"},
    "include.bronze": {"include.bronze"},
    "include.settings": {"include.bronze"},
    "include.snowflake": {"include.settings"},
    "include.serving": {"include.serving", "include.settings"},
    "include.orchestration": {"include.orchestration", "include.settings", "include.bronze", "include.serving"},
    "include.local": {
        "include.local",
        "include.settings",
        "include.snowflake",
        "include.bronze.warehouses.lock",
        "include.bronze.batch",
        "include.bronze.steps",
    },
    "include.simulators": {"include.simulators"},
    "dags": {"include"},
    "plugins": {"include.serving", "include.orchestration.deadline"},
}
AIRFLOW_FREE = ("include.bronze", "include.settings", "include.serving", "include.simulators")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def under(module: str, rooms: set[str]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def violations(path: Path, module: str) -> list[str]:
    room = next((name for name in ALLOWED if under(module, {name})), None)
    if room is None:
        return [] if module == "include" else [f"{module} belongs to no room of docs/adr/001"]
    ours = [name for name in imports(path) if name.split(".")[0] in ("include", "dags", "plugins", "tests", "lint")]
    wrong = [f"{module} imports {name}" for name in ours if not under(name, ALLOWED[room])]
    if under(module, set(AIRFLOW_FREE)):
        wrong += [
            f"{module} imports {name}" for name in imports(path) if name.split(".")[0] in ("airflow", "cosmos", "dbt")
        ]
    return wrong


FILES = sorted(path for room in ("include", "dags", "plugins") for path in (REPO / room).rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    assert violations(path, module_of(path)) == []


def test_an_import_against_the_direction_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("from include.bronze import batch\nimport airflow\n")
    assert violations(file, "include.simulators.x") == [
        "include.simulators.x imports include.bronze.batch",
        "include.simulators.x imports airflow",
    ]
