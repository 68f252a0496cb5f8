"""A second client's dbt project, from its file: it parses, and keeps every rule there is."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from include.orchestration.client_stubs import main
from include.settings import CLIENTS_DIR, Settings, load_settings
from lint import manifest_rules
from tests.dbt.project import Project, copy_of_project

pytestmark = pytest.mark.integration

STRICT = ("--warn-error-options", '{"error": "all"}')
# It has less than the first client, under another name, and lives elsewhere.
ABC = {
    "code": "abc",
    "name": "Another",
    "owner": "support-analytics",
    "timezone": "Europe/Lisbon",
    "night": "02:00",
    "schedule": "15 2 * * *",
    "sources": {
        "pylon_eu": {
            "system": "pylon",
            "connection": "pylon_abc",
            "history_from": "2025-06-01",
            "streams": ["accounts", "issues", "messages", "issue_statuses"],
        }
    },
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    clients = tmp_path_factory.mktemp("clients") / "clients"
    shutil.copytree(CLIENTS_DIR, clients)
    (clients / "abc.yaml").write_text(yaml.safe_dump(ABC))
    return load_settings({}, clients)


@pytest.fixture(scope="module")
def project(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with the second client's stubs in it."""
    folder = tmp_path_factory.mktemp("two_clients")
    project = Project(folder / "data", copy_of_project(folder))
    assert main(["abc", "--into", str(project.project_dir)], settings) == 0
    return project


def test_a_second_client_parses_and_keeps_every_rule(project: Project) -> None:
    outcome = project.run("parse", "--no-partial-parse", "--write-json", *STRICT)
    assert outcome.success, outcome.said()
    manifest = json.loads((project.data_dir / "dbt" / "target" / "manifest.json").read_text())
    assert manifest_rules.check(manifest) == []

    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert {
        *("abc_pylon_eu_accounts", "abc_pylon_eu_issues", "abc_pylon_eu_messages", "abc_cast_failures"),
        *("fct_abc_tickets", "dim_employee_abc", "agg_abc_csat_channel_daily", "rpt_abc_volume_wow"),
    } <= models.keys()
    assert not [name for name in models if name.startswith("abc_plain")]
    ours = [node for name, node in models.items() if "/abc/" in node["original_file_path"]]
    assert {node["database"] for node in ours} == {"ABC_DB_LOCAL"}
    assert all("client_abc" in node["tags"] and "client_def" not in node["tags"] for node in ours)
    assert not [
        each for node in ours for each in node["depends_on"]["nodes"] if "def" in each.replace("_", ".").split(".")
    ]
    reports = {name for name, node in models.items() if name.startswith(("agg_def", "rpt_def"))}
    assert {name.replace("_def_", "_abc_") for name in reports} == {
        name for name in models if name.startswith(("agg_abc", "rpt_abc"))
    }


def test_its_empty_tables_and_reports_can_be_built(project: Project) -> None:
    for selector in ("reference", "client_abc"):
        built = project.run("build", "--selector", selector, "--exclude-resource-types", "unit_test", "test")
        assert built.success, built.said()


def test_what_is_there_is_left_alone(project: Project, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    fact = project.project_dir / "models" / "abc" / "gold" / "fct_abc_tickets.sql"
    fact.write_text(fact.read_text() + "-- filled in\n")
    before = {path: path.read_text() for path in project.project_dir.rglob("*") if path.suffix in (".sql", ".yml")}
    assert main(["abc", "--into", str(project.project_dir)], settings) == 0
    assert capsys.readouterr().out.startswith("0 files written, ")
    assert {path: path.read_text() for path in before} == before


def test_a_client_nobody_configured_is_one_sentence(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["xyz"], settings) == 2
    assert capsys.readouterr().err == "configuration: no client 'xyz'; configured are abc, core, def\n"
