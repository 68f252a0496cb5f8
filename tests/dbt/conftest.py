"""One recording of Silver for all tests that replay it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dbt.bronze import (
    Bronze,
    Look,
    Row,
    account,
    at,
    deletion,
    issue,
    message,
    note,
    open_warehouse,
    thread,
)
from tests.dbt.project import Project, copy_of_project
from tests.dbt.silver import Script, record

CHILDREN = Path(__file__).parent / "children"
RECORDED = (
    "def_pylon_issues",
    "def_pylon_issues_versions",
    "def_pylon_accounts",
    "def_pylon_notes",
    "def_pylon_messages",
    "def_plain_threads",
    "def_plain_deleted_threads",
    "def_pylon_teams",
    "def_plain_tiers",
    "def_cast_failures",
)


@pytest.fixture(scope="session")
def silver_scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Script]:
    """What dbt sends for Silver models of every kind of stream, some of which only the tests have."""
    folder = tmp_path_factory.mktemp("recording")
    copy = copy_of_project(folder, CHILDREN)
    _leave_only(copy, RECORDED)
    project = Project(folder / "data", copy)
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create()
        bronze.load("pylon_issues", "b0", [Row(issue("k0", at(0)), at(1))])
        bronze.load("pylon_accounts", "b0", [Row(account("k0", at(0)), at(1))], [Look("*", at(0))])
        bronze.load("pylon_notes", "b0", [Row(note("k0", at(0)), at(1), parent="p0")], [Look("p0", at(0))])
        bronze.load("pylon_teams", "b0", [Row({"id": "k0"}, at(1))], [Look("*", at(0))])
        bronze.load("plain_tiers", "b0", [Row({"id": "k0"}, at(1))], [Look("*", at(0))])
        bronze.load("pylon_messages", "b0", [Row(message("k0"), at(1), parent="p0")], [Look("p0", at(0))])
        bronze.load("plain_threads", "b0", [Row(thread("k0", at(0)), at(1))])
        bronze.load("plain_deleted_threads", "b0", [Row(deletion("k0", at(0)), at(1))])
    return record(project, RECORDED)


def _leave_only(project_dir: Path, names: tuple[str, ...]) -> None:
    """Take every model out of a copy of the project but some: the list of cast failures has a part for each."""
    for path in (
        *project_dir.glob("models/*/*/**/*"),
        *project_dir.glob("tests/**/*"),
        *project_dir.glob("models/**/*exposures.yml"),
    ):
        if path.is_file() and path.stem not in names:
            path.unlink()
