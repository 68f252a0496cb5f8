"""The acceptance list: every rule has one row, and what a row names exists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lint import acceptance
from lint.acceptance import PAGE, findings, known_references, wanted_ids

ROOT = Path(__file__).resolve().parents[2]
MANIFEST: dict[str, Any] = {
    "nodes": {
        "model.support.fct_x": {
            "resource_type": "model",
            "name": "fct_x",
            "columns": {"Y": {"constraints": [{"type": "not_null"}]}},
        },
        "seed.support.holidays": {"resource_type": "seed", "name": "holidays", "columns": {}},
        "test.support.a": {
            "resource_type": "test",
            "name": "unique_fct_x_ID",
            "test_metadata": {"name": "unique"},
            "attached_node": "model.support.fct_x",
            "column_name": "ID",
        },
        "test.support.b": {
            "resource_type": "test",
            "name": "conserves_fct_x",
            "test_metadata": {"name": "conserves"},
            "attached_node": "model.support.fct_x",
        },
        "test.support.c": {"resource_type": "test", "name": "every_ticket_is_counted_once"},
    },
    "unit_tests": {"unit_test.support.fct_x.y": {"name": "y_is_x"}},
    "exposures": {"exposure.support.page": {"name": "page"}},
}
KNOWN = known_references(MANIFEST, ROOT)


def page(change: Callable[[list[str]], object] = lambda _: None) -> list[str]:
    """A page on which every rule is proved by the same thing, with something planted; and what is said of it."""
    rows = [f"| {name} | asked | proved | `rule:layer_is_known` |" for name in wanted_ids()]
    change(rows)
    return list(findings("\n".join(rows), KNOWN, ROOT))


def put(row: str) -> Callable[[list[str]], object]:
    return lambda rows: rows.__setitem__(0, row)


def test_there_are_253_rules_and_35_conflicts() -> None:
    ids = wanted_ids()
    assert (len(ids), len([name for name in ids if name.startswith("C-")])) == (253 + 35, 35)
    assert {"S0-31", "S1-46", "S2-22", "S3-22", "S4-132", "C-35"} <= set(ids)


def test_a_page_in_order_is_passed() -> None:
    assert page() == []


@pytest.mark.parametrize(
    "reference",
    [
        "tests/lint/test_acceptance.py::test_a_page_in_order_is_passed",
        "rule:layer_is_known",
        "bouncer:check_model_has_properties_file",
        "gate:dbt-parse",
        "gate:ruff",
        "unit:y_is_x",
        "data:fct_x.id.unique",
        "data:fct_x.y.not_null",
        "data:fct_x.conserves",
        "data:every_ticket_is_counted_once",
        "model:fct_x",
        "model:holidays",
        "exposure:page",
        "adr:001",
        "file:.ci/run",
    ],
)
def test_what_exists_may_be_named_and_what_does_not_may_not(reference: str) -> None:
    assert page(put(f"| S0-01 | asked | proved | `{reference}` |")) == []
    wrong = reference.replace("-parse", "-purse") if reference == "gate:dbt-parse" else f"{reference}x"
    assert page(put(f"| S0-01 | asked | proved | `{wrong}` |")) == [f"S0-01 names {wrong}, which does not exist"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.pop(0), "S0-01 has no row"),
        (lambda rows: rows.append(rows[0]), "S0-01 has 2 rows"),
        (lambda rows: rows.append(rows[0].replace("S0-01", "S9-01")), "S9-01 is no rule"),
        (put("| S0-01 | asked | proved | it is so |"), "S0-01 is proved and names nothing that shows it"),
        (put("| S0-01 | asked | partly | half of it |"), "S0-01 is partly and names nothing that shows it"),
        (put("| S0-01 | asked | later | `model:fct_x` |"), "S0-01 is later without a reason"),
        (put("| S0-01 | asked | by hand |  |"), "S0-01 is by hand without a reason"),
        (put("| S0-01 | asked | done | `model:fct_x` |"), "S0-01 is 'done', allowed are proved, partly, later,"),
        (put("| S0-01 |  | proved | `model:fct_x` |"), "S0-01 does not say what is asked"),
        (put("| S0-01 | asked | proved |"), "S0-01 has 3 columns instead of 4"),
        (
            put("| S0-01 | asked | proved | `file:docs/none.md` |"),
            "S0-01 names file:docs/none.md, which does not exist",
        ),
    ],
)
def test_a_row_that_is_wrong_is_named(change: Callable[[list[str]], object], said: str) -> None:
    (found,) = page(change)
    assert found.startswith(said)


def test_every_gate_can_be_named() -> None:
    from lint.run import GATES

    assert {name for name in KNOWN if name.startswith("gate:")} == {f"gate:{gate.name}" for gate in GATES}


def test_every_rule_of_the_manifest_can_be_named() -> None:
    from lint.manifest_rules import RULES

    assert {name for name in KNOWN if name.startswith("rule:")} == {f"rule:{rule.__name__}" for rule in RULES}


def test_the_projects_own_page_names_only_tests_and_rules_that_exist() -> None:
    """Without a manifest: what dbt has is looked at by the gate."""
    of_dbt = ("unit:", "data:", "model:", "exposure:")
    found = findings(PAGE.read_text(encoding="utf-8"), KNOWN, ROOT)
    assert [line for line in found if not any(f"names {kind}" in line for kind in of_dbt)] == []


def test_without_a_manifest_the_command_says_what_writes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert acceptance.main([str(tmp_path / "none.json")]) == 2
    assert "`dbt parse` writes one" in capsys.readouterr().err
