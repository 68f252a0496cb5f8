"""The marts as assets: which there are, what each is made of, and what its event says."""

from __future__ import annotations

from typing import Any

from include.orchestration.manifest import marts_of
from include.orchestration.marts import event_extra


def node(name: str, *parents: str, kind: str = "model") -> dict[str, Any]:
    return {"name": name, "resource_type": kind, "depends_on": {"nodes": list(parents)}}


def test_a_mart_is_made_of_every_bronze_table_above_it() -> None:
    nodes = {
        "model.p.silver": node("def_pylon_issues", "source.p.def_bronze.PYLON_ISSUES", "source.p.def_bronze.LEDGER"),
        "model.p.fct": node("fct_def_tickets", "model.p.silver"),
        "model.p.agg": node("agg_def_daily", "model.p.fct", "model.p.dim"),
        "model.p.rpt": node("rpt_def_daily", "model.p.agg"),
        "model.p.dim": node("dim_calendar", "seed.p.holidays"),
        "seed.p.holidays": node("dim_looks_like_one", kind="seed"),
    }
    assert marts_of(nodes) == {
        "agg_def_daily": ["LEDGER", "PYLON_ISSUES"],
        "dim_calendar": [],
        "rpt_def_daily": ["LEDGER", "PYLON_ISSUES"],
    }


def test_an_event_names_the_batches_of_this_run_that_are_in_the_mart() -> None:
    loaded = [("PYLON_ISSUES", "b2"), ("PLAIN_THREADS", "x"), ("PYLON_ISSUES", "b1")]
    assert event_extra(7, ["PYLON_ISSUES"], loaded) == {"rows": 7, "batch_count": 2, "batches": ["b1", "b2"]}
    assert event_extra(0, [], loaded) == {"rows": 0, "batch_count": 0, "batches": []}


def test_a_first_nights_batches_are_counted_and_not_all_listed() -> None:
    extra = event_extra(1, ["T"], [("T", f"b{number:03}") for number in range(400)])
    assert (extra["batch_count"], len(extra["batches"])) == (400, 50)
