"""The scorecard: every model is incremental, or says why it is not."""

from __future__ import annotations

from typing import Any

import pytest

from include.orchestration.scorecard import UnexplainedError, page, rows_of


def manifest(*nodes: dict[str, Any], **sources: dict[str, Any]) -> dict[str, Any]:
    return {
        "nodes": {node["name"]: node for node in nodes},
        "sources": {name: {"name": name, "config": {"meta": meta}} for name, meta in sources.items()},
    }


def model(name: str, materialized: str, *parents: str, **meta: Any) -> dict[str, Any]:
    config = {"materialized": materialized, "meta": meta}
    return {"name": name, "resource_type": "model", "config": config, "depends_on": {"nodes": list(parents)}}


DIRECTORY = {"input_kind": "record_set", "coverage": "snapshot", "load_strategy": "batch_replace"}
CHANGES = {"input_kind": "record_set", "coverage": "window", "load_strategy": "incremental"}
FILE = {"input_kind": "record_set", "coverage": "snapshot", "load_strategy": "full_refresh"}
EVENTS = {"input_kind": "event_stream", "coverage": "window", "load_strategy": "incremental"}


@pytest.mark.parametrize(
    ("meta", "source", "kind", "reads"),
    [
        ({}, CHANGES, "record set", "the keys that changed batches touch"),
        ({"keeps": "history"}, DIRECTORY, "record set", "the keys that changed batches touch"),
        ({"keeps": "history"}, EVENTS, "event stream", "the keys that changed batches touch"),
        ({}, DIRECTORY, "record set", "the whole directory's history: each reading says something about every record"),
        ({}, FILE, "record set", "everything: each file is complete and replaces the last"),
    ],
)
def test_an_incremental_model_says_what_its_run_reads(
    meta: dict[str, str], source: dict[str, str], kind: str, reads: str
) -> None:
    given = manifest(model("m", "incremental", "S", "INGEST_COVERAGE", **meta), S=source, INGEST_COVERAGE=EVENTS)
    assert rows_of(given) == [("`m`", kind, "incremental", reads)]


def test_a_full_scan_gives_its_reason() -> None:
    assert rows_of(manifest(model("m", "table", full_scan_reason="small"))) == [("`m`", "models", "full scan", "small")]


def test_a_full_scan_without_a_reason_is_refused_by_name() -> None:
    with pytest.raises(UnexplainedError, match=r"fct_x is built as a table: say why in its meta\.full_scan_reason"):
        rows_of(manifest(model("fct_x", "table")))


def test_the_page_counts_each_way_of_building() -> None:
    text = page(manifest(model("a", "view"), model("b", "table", full_scan_reason="r"), model("c", "ephemeral")))
    assert "| when it is read | 2 |\n| full scan | 1 |\n" in text
