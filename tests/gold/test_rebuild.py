"""Gold after nights of operation is what a rebuild from Bronze gives, and an experiment becomes a report as docs say."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from lint import manifest_rules
from tests.dbt.project import copy_of_project
from tests.gold.recording import Recording
from tests.gold.world import Built, Loaded, Replayed

pytestmark = pytest.mark.integration

PILOT, REPORT = "exp_def_self_service_weekly", "rpt_def_self_service_weekly"


def relations(loaded: Loaded) -> dict[str, list[str]]:
    """Every relation of Silver and Gold with its rows as text, in an order of their own."""
    names = loaded.query("""
        select database_name || '.' || schema_name || '.' || name as name from (
            select database_name, schema_name, table_name as name from duckdb_tables()
            union all select database_name, schema_name, view_name from duckdb_views()
        ) where upper(schema_name) in ('SILVER', 'GOLD') and name not like 'APPLIED%'
    """)
    return {row["name"].lower(): sorted(str(found) for found in loaded.relation(row["name"])) for row in names}


def test_what_dbt_sends_into_an_empty_warehouse_gives_what_nights_of_operation_gave(
    built: Built, recording: Recording
) -> None:
    before = relations(built)
    assert len(before) > 90
    assert sum(map(len, before.values())) > 1_000
    anew = Replayed(built.seed, built.size, built.polls, built.looks, built.data_dir, recording=recording)
    after = relations(anew)
    anew.close()
    assert after.keys() == before.keys()
    assert not [name for name in before if before[name] != after[name]]


def test_the_lineage_of_the_old_mart_builds_with_its_tests(built: Built) -> None:
    ended = built.dbt(
        "build", "--selector", "support_ticket_lineage", "--exclude", "resource_type:unit_test"
    ).statuses()
    assert {
        "fct_support_tickets_daily",
        "unique_def_pylon_issues_RECORD_KEY",
        "unique_def_plain_threads_RECORD_KEY",
    } <= set(ended)
    assert set(ended.values()) <= {"success", "pass", "warn", "no-op"}


def test_what_looks_wrong_and_may_be_right_is_a_warning(built: Built, tmp_path: Path) -> None:
    built.close()
    doubtful = built.copy(tmp_path)
    with duckdb.connect(str(doubtful.warehouse / "DEF_DB_LOCAL.duckdb")) as connection:
        connection.execute("update GOLD.fct_def_tickets set category = 'unheard of', resolution_type = 'by magic'")
        connection.execute("update GOLD.fct_def_ticket_links set is_thread_known = false")
        connection.execute("""
            update GOLD.agg_def_ticket_activity_channel_daily set tickets_created = 0
            where metric_date = date '2026-01-14' and support_system = 'pylon'
        """)
    names = ("is_an_option", "at_most_a_share", "no_working_day_without")
    told = doubtful.dbt("test", "--select", *(f"test_name:{name}" for name in names)).result.results
    told = [each for each in told if each.node.resource_type == "test"]
    assert {(each.node.test_metadata.name, each.node.column_name): str(each.status) for each in told} == {
        ("is_an_option", "category"): "warn",
        ("is_an_option", "resolution_type"): "warn",
        ("at_most_a_share", None): "warn",
        ("no_working_day_without", None): "warn",
    }


def test_an_experiment_becomes_a_report_by_a_rename_and_the_old_view_is_told_of(built: Built, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    gold = project / "models" / "def" / "gold"
    for suffix in (".sql", ".yml"):
        (gold / f"{PILOT}{suffix}").rename(gold / f"{REPORT}{suffix}")
    yaml = gold / f"{REPORT}.yml"
    described = yaml.read_text().replace(PILOT, REPORT).replace("access: protected", "access: public")
    yaml.write_text(described.replace("tags: [exp]", "tags: [report]\n      contract: {enforced: true}"))
    shown = [str(row) for row in built.relation(PILOT)]
    built.close()
    promoted = built.copy(tmp_path / "data", project)
    promoted.dbt("run", "--select", REPORT, "--write-json")
    assert sorted(map(str, promoted.relation(REPORT))) == sorted(shown)
    assert shown
    assert f"GOLD.{PILOT} is made by no model" in promoted.dbt("run-operation", "stale_relations").said()
    manifest = json.loads((promoted.data_dir / "dbt" / "target" / "manifest.json").read_text())
    assert manifest_rules.check(manifest) == []
