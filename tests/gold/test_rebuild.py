"""Gold after nights of operation is what a rebuild from Bronze gives, and an experiment becomes a report as docs say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lint import manifest_rules
from tests.dbt.project import copy_of_project
from tests.gold.conftest import SEEDS
from tests.gold.world import Loaded

pytestmark = pytest.mark.integration

FIRST = pytest.mark.parametrize("loaded", SEEDS[:1], indirect=True, ids=lambda seed: f"seed {seed}")
PILOT, REPORT = "exp_def_self_service_weekly", "rpt_def_self_service_weekly"


def relations(loaded: Loaded) -> dict[str, list[str]]:
    """Every relation of Gold with its rows as text, in an order of their own."""
    names = loaded.query("""
        select database_name || '.' || schema_name || '.' || name as name from (
            select database_name, schema_name, table_name as name from duckdb_tables()
            union all select database_name, schema_name, view_name from duckdb_views()
        ) where upper(schema_name) = 'GOLD'
    """)
    return {row["name"]: sorted(str(found) for found in loaded.relation(row["name"])) for row in names}


@FIRST
def test_a_rebuild_from_bronze_gives_what_nights_of_operation_gave(loaded: Loaded, tmp_path: Path) -> None:
    before = relations(loaded)
    assert len(before) > 40
    assert sum(map(len, before.values())) > 1_000
    rebuilt = loaded.copy(tmp_path)
    rebuilt.build("--full-refresh")
    after = relations(rebuilt)
    assert after.keys() == before.keys()
    assert not [name for name in before if before[name] != after[name]]


@FIRST
def test_an_experiment_becomes_a_report_by_a_rename_and_the_old_view_is_told_of(loaded: Loaded, tmp_path: Path) -> None:
    project = copy_of_project(tmp_path)
    gold = project / "models" / "def" / "gold"
    for suffix in (".sql", ".yml"):
        (gold / f"{PILOT}{suffix}").rename(gold / f"{REPORT}{suffix}")
    yaml = gold / f"{REPORT}.yml"
    described = yaml.read_text().replace(PILOT, REPORT).replace("access: protected", "access: public")
    yaml.write_text(described.replace("tags: [exp]", "tags: [report]\n      contract: {enforced: true}"))
    promoted = loaded.copy(tmp_path / "data", project)
    shown = [str(row) for row in loaded.relation(PILOT)]
    promoted.dbt("run", "--select", REPORT)
    assert sorted(map(str, promoted.relation(REPORT))) == sorted(shown)
    assert shown
    outcome = promoted.project.run("run-operation", "stale_relations")
    assert f"GOLD.{PILOT} is made by no model" in outcome.said()
    manifest = json.loads((promoted.project.data_dir / "dbt" / "target" / "manifest.json").read_text())
    assert manifest_rules.check(manifest) == []
