"""The dbt project as a whole: targets, names, selectors, and that it keeps out of its own folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from include.orchestration import dbt_sources, scorecard
from include.settings import DBT_PROJECT_DIR, load_settings
from tests.dbt.project import Outcome, Project

CLIENTS = load_settings({}).clients
STRICT = ("--warn-error-options", '{"error": "all"}')


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def parsed(project: Project) -> dict[str, Outcome]:
    """The project as each target sees it. No target is connected to."""
    targets = ("local", "ci", "cicd", "dev", "prod")
    return {target: project.run("parse", "--profile", "default", "--target", target, *STRICT) for target in targets}


def models(outcome: Outcome) -> dict[str, Any]:
    return {node.name: node for node in outcome.result.nodes.values() if node.resource_type == "model"}


# ---------------------------------------------------------------- the generated sources


def test_the_sources_are_what_the_inventory_and_the_clients_say() -> None:
    for client in CLIENTS.values():
        if client.streams:
            path = dbt_sources.sources_path(client)
            assert path.read_text() == dbt_sources.sources_yaml(client), (
                f"{path} is stale; run python -m include.orchestration.dbt_sources"
            )


def test_a_check_names_the_stale_file_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dbt_sources, "DBT_PROJECT_DIR", tmp_path)
    assert dbt_sources.main(["--check"]) == 1
    assert "_def__sources.yml is stale" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.yml"))
    assert dbt_sources.main([]) == 0
    assert dbt_sources.main(["--check"]) == 0


def test_a_stream_declares_all_that_silver_is_made_from() -> None:
    source = yaml.safe_load(dbt_sources.sources_yaml(CLIENTS["def"]))["sources"][0]
    tables = {table["name"]: table for table in source["tables"]}
    assert tables["PYLON_ISSUES"]["config"]["meta"] == {
        "system": "pylon",
        "record_key": "ID",
        "order_by": "UPDATED_AT",
        "input_kind": "record_set",
        "is_append_only": False,
        "load_strategy": "incremental",
        "cadence": "nightly",
        "coverage": "window",
        "volatile": sorted(
            [
                "ACTIVE_TIME_BY_USER",
                "ACTIVE_TIME_SECONDS",
                "ATTACHMENT_URLS",
                "BUSINESS_HOURS_ACTIVE_TIME_SECONDS",
                "BUSINESS_HOURS_TIME_IN_STATUS_SECONDS",
                "TIME_IN_STATUS_SECONDS",
            ]
        ),
    }
    assert tables["PYLON_ACCOUNTS"]["config"]["meta"]["coverage"] == "snapshot"
    assert tables["WFM_AGENT_DAYS"]["config"]["meta"]["record_key"] == ["EMPLOYEE_ID", "WORK_DATE"]
    threads = tables["PLAIN_THREADS"]["config"]["meta"]
    assert (threads["order_by"], threads["order_by_path"]) == ("UPDATED_AT", "iso8601")
    assert tables["PLAIN_TIMELINE_ENTRIES"]["config"]["meta"]["parent"] == "PLAIN_THREADS"
    deleted = tables["PLAIN_DELETED_THREADS"]["config"]["meta"]
    assert (deleted["input_kind"], deleted["is_append_only"], deleted["buries"]) == (
        "event_stream",
        True,
        "PLAIN_THREADS",
    )
    listing = tables["PYLON_ISSUE_IDS"]["config"]
    assert listing["meta"]["lists"] == "PYLON_ISSUES"
    assert listing["freshness"]["warn_after"]["period"] == "day"
    assert source["config"]["meta"]["reporting_timezone"] == CLIENTS["def"].timezone
    assert {"INGEST_BATCHES", "INGEST_COVERAGE"} < tables.keys()
    assert all(column["quote"] is False for table in tables.values() for column in table["columns"])


# ---------------------------------------------------------------- targets and names


@pytest.mark.integration
@pytest.mark.parametrize("target", ["local", "ci", "cicd", "dev", "prod"])
def test_every_target_parses_without_a_warning_and_names_its_databases(parsed: dict[str, Outcome], target: str) -> None:
    assert parsed[target].success, parsed[target].said()
    databases = {node.database for node in parsed[target].result.nodes.values() if node.resource_type == "model"}
    assert databases == {f"DEF_DB_{target.upper()}", f"CORE_DB_{target.upper()}"}
    assert {source.database for source in parsed[target].result.sources.values()} == databases


@pytest.mark.integration
def test_a_target_nobody_knows_is_an_invalid_environment(tmp_path: Path) -> None:
    profile = yaml.safe_load((DBT_PROJECT_DIR / "profiles.yml").read_text())
    profile["default"]["outputs"]["xyz"] = {"type": "duckdb", "path": ":memory:"}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profile))
    outcome = Project(tmp_path, profiles_dir=tmp_path).run("parse", "--target", "xyz")
    assert not outcome.success
    assert "invalid_environment" in outcome.said()
    assert "'xyz'" in outcome.said()
    assert "local, ci, cicd, dev, prod" in outcome.said()


@pytest.mark.integration
def test_a_target_the_profile_lacks_fails_and_names_those_it_has(project: Project) -> None:
    outcome = project.run("parse", "--target", "xyz")
    assert not outcome.success
    assert "does not have a target named 'xyz'" in outcome.said()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("target", "prefix", "schemas"),
    [
        ("dev", "ana", {"ANA_SILVER", "ANA_GOLD"}),
        ("dev", "", {"SILVER", "GOLD"}),
        ("prod", "ana", {"SILVER", "GOLD"}),
        ("local", "ana", {"SILVER", "GOLD"}),
    ],
)
def test_only_a_developer_has_schemas_of_his_own(tmp_path: Path, target: str, prefix: str, schemas: set[str]) -> None:
    outcome = Project(tmp_path).run("parse", "--target", target, environment={"SUPPORT_DEV_PREFIX": prefix})
    assert outcome.success, outcome.said()
    assert {node.schema for node in models(outcome).values()} == schemas


@pytest.mark.integration
def test_a_new_client_is_attached_and_given_its_database(parsed: dict[str, Outcome]) -> None:
    profile = yaml.safe_load((DBT_PROJECT_DIR / "profiles.yml").read_text())["default"]["outputs"]
    for target in ("local", "ci", "cicd"):
        opened = {Path(profile[target]["path"].removeprefix("md:")).stem} | {
            each.get("alias") or each["path"].removeprefix("md:") for each in profile[target]["attach"]
        }
        assert opened == {f"{code}_DB_{target}".upper() for code in CLIENTS}


# ---------------------------------------------------------------- models


@pytest.mark.integration
def test_every_silver_model_is_canonical(parsed: dict[str, Outcome]) -> None:
    silver = {name: node for name, node in models(parsed["local"]).items() if "silver" in node.tags}
    assert {"def_pylon_issues", "def_pylon_accounts"} <= set(silver)
    for node in silver.values():
        config = node.config
        assert (config.materialized, config.incremental_strategy, config.unique_key, config.on_schema_change) == (
            "incremental",
            "merge",
            "RECORD_KEY",
            "sync_all_columns",
        )
        assert not [each for each in node.depends_on.nodes if not each.startswith("source.")]


@pytest.mark.integration
def test_the_old_activity_is_inlined(parsed: dict[str, Outcome]) -> None:
    """Stored as a view, it broke what read it whenever a type below it changed."""
    assert models(parsed["local"])["int_ce__ticket_activity_daily"].config.materialized == "ephemeral"


@pytest.mark.integration
def test_every_stream_has_its_silver_model(parsed: dict[str, Outcome]) -> None:
    silver = {name for name, node in models(parsed["local"]).items() if "silver" in node.tags}
    for client in CLIENTS.values():
        assert {f"{client.code}_{stream.name}" for stream in client.streams} <= silver


@pytest.mark.integration
def test_the_scorecard_is_what_the_project_says(parsed: dict[str, Outcome]) -> None:
    manifest = parsed["local"].result.writable_manifest().to_dict(omit_none=False)
    assert scorecard.PAGE.read_text() == scorecard.page(manifest), "run python -m include.orchestration.scorecard"


@pytest.mark.integration
def test_unit_tests_state_what_the_sources_declare(parsed: dict[str, Outcome]) -> None:
    manifest = parsed["local"].result
    declared = {f"def_{each.name.lower()}": each.config.meta for each in manifest.sources.values()}
    overrides = {
        each.name: (each.model, each.overrides.macros) for each in manifest.unit_tests.values() if each.overrides
    }
    stated = {
        name: (model, macros["declared_meta"])
        for name, (model, macros) in overrides.items()
        if "declared_meta" in macros
    }
    assert stated
    for name, (model, meta) in stated.items():
        wanted = {key: declared[model].get(key) for key in meta}
        assert meta == wanted, f"unit test {name} states {meta}, the source declares {wanted}"


def files_under(*folders: str) -> set[str]:
    """The models and seeds that lie in folders of the project."""
    paths = [path for folder in folders for path in (DBT_PROJECT_DIR / folder).rglob("*")]
    return {path.stem for path in paths if path.suffix in (".sql", ".csv")}


@pytest.mark.integration
@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("reference", files_under("models/core", "seeds/core")),
        ("client_def", files_under("models/def")),
        (
            "support_ticket_lineage",
            {
                "def_pylon_issues",
                "def_pylon_issue_statuses",
                "def_pylon_accounts",
                "def_pylon_contacts",
                "def_pylon_users",
                "def_pylon_messages",
                "def_plain_threads",
                "def_plain_timeline_entries",
                "def_plain_customers",
                "def_plain_companies",
                "def_plain_tenants",
                "def_plain_users",
                "core_roster_def",
                "core_salesforce_accounts",
                "core_channel_map",
                "core_public_mail_domains",
                "int_def_ticket_links",
                "int_def_tickets_unioned",
                "int_def_messages_unioned",
                "int_def_agents",
                "dim_employee_def",
                "dim_account_def",
                "dim_account_domain_def",
                "dim_salesforce_account",
                "fct_def_ticket_links",
                "fct_def_tickets",
                "fct_def_messages",
                "agg_def_ticket_activity_channel_daily",
                "rpt_def_support_tickets_daily",
                "int_ce__pylon_external_plain_thread_ids",
                "int_ce__sf_unique_domain_account",
                "int_ce__ticket_activity_daily",
                "fct_support_tickets_daily",
                "fct_customer_enablement_daily",
            },
        ),
    ],
)
def test_a_selector_holds_all_its_branches(project: Project, selector: str, wanted: set[str]) -> None:
    outcome = project.run("ls", "--selector", selector, "--resource-type", "model", "seed", "--output", "name")
    assert outcome.success, outcome.said()
    assert set(outcome.result) == wanted


@pytest.mark.integration
def test_the_documentation_is_made_without_a_complaint_and_shows_every_model(tmp_path: Path) -> None:
    project = Project(tmp_path)
    outcome = project.run("docs", "generate", "--static", "--write-json")
    assert outcome.success, outcome.said()
    # The warehouse is empty, and says so of every stream; nothing else is said.
    assert [message for message in outcome.messages if "was never loaded" not in message] == []
    page = (tmp_path / "dbt" / "target" / "static_index.html").read_text()
    assert [name for name in files_under("models") if name not in page] == []


@pytest.mark.integration
def test_dbt_writes_nothing_into_the_project(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(DBT_PROJECT_DIR, copy, ignore=shutil.ignore_patterns("target", "logs", "dbt_packages"))
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    outcome = Project(tmp_path / "data", copy).run("build", "--selector", "reference")
    assert outcome.success, outcome.said()
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_what_a_contract_keeps_from_being_null_fails_the_model_and_leaves_the_old_table(tmp_path: Path) -> None:
    project = Project(tmp_path)
    seeds, gold = (project.warehouse / f"{client}_DB_LOCAL.duckdb" for client in ("CORE", "DEF"))

    def targets() -> list[tuple[Any, ...]]:
        with duckdb.connect(str(gold), read_only=True) as connection:
            return connection.execute("from GOLD.dim_sla_target_def order by all").fetchall()

    built = project.run("build", "--select", "core_sla_targets", "dim_sla_target_def", "--indirect-selection", "empty")
    assert built.success, built.said()
    before = targets()
    assert before
    with duckdb.connect(str(seeds)) as connection:
        connection.execute("update SILVER.core_sla_targets set priority = null where priority = 'urgent'")
    failed = project.run("run", "--select", "dim_sla_target_def")
    assert failed.statuses()["dim_sla_target_def"] == "error"
    assert "NOT NULL constraint failed: dim_sla_target_def__dbt_tmp.priority" in failed.said()
    assert targets() == before
