"""What Snowflake would be sent. Nothing is sent: the text is rendered without an account and read by a parser."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from tests.dbt.project import Project, copy_of_project

pytestmark = pytest.mark.integration

ADDITIONS = Path(__file__).parent / "snowflake"
# Words only DuckDB knows.
FOREIGN = ("regexp_full_match", "json_extract", "try_cast", "list_filter", "timestamptz", "at time zone", "isodow")


@pytest.fixture(scope="module", params=[False, True], ids=["anew", "increment"])
def texts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Every model's text, and that of the hooks, as dbt-snowflake renders them."""
    folder = tmp_path_factory.mktemp("snowflake")
    project = Project(folder / "data", copy_of_project(folder, ADDITIONS))
    variables = f"{{pretend_incremental: {str(request.param).lower()}}}"
    selection = ("--select", "resource_type:model", "--vars", variables)
    outcome = project.run("compile", "--target", "dev", "--no-populate-cache", "--no-introspect", *selection)
    assert outcome.success, outcome.said()
    return {each.node.name: each.node.compiled_code.split("\n;;\n") for each in outcome.result.results}


def test_every_text_is_snowflakes(texts: dict[str, list[str]]) -> None:
    assert {"def_pylon_issues", "fct_def_tickets", "rpt_def_support_tickets_daily", "def_hooks"} <= texts.keys()
    for name, statements in texts.items():
        for statement in statements:
            found = [word for word in FOREIGN if word in statement.lower()]
            assert not found, f"{name} has {found}"
            tree = sqlglot.parse_one(statement, read="snowflake")
            assert not isinstance(tree, exp.Command), f"{name} was not understood: {statement[:200]}"


def test_names_are_given_in_full_and_unquoted(texts: dict[str, list[str]]) -> None:
    for name, statements in texts.items():
        for statement in statements:
            tree = sqlglot.parse_one(statement, read="snowflake")
            made = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
            for table in tree.find_all(exp.Table):
                if table.name and table.name not in made:
                    assert table.catalog.endswith("_DB_DEV"), f"{name} reads {table.sql()}"
                    assert not table.this.quoted


def test_an_increment_reads_only_touched_keys(texts: dict[str, list[str]], request: pytest.FixtureRequest) -> None:
    text = texts["def_pylon_issues"][0]
    is_increment = "increment" in request.node.callspec.id
    assert ("def_pylon_issues__touched" in text) == is_increment
