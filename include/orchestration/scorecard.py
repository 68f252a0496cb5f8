"""What is built incrementally and what reads everything each time, and why: made from the dbt project.

Every input is an event stream or a record set, and every model is built in one of a few ways; both are declared, so the
table is written from the declarations. A full scan without a reason is an error.

    python -m include.orchestration.scorecard            writes docs/scorecard.md
    python -m include.orchestration.scorecard --check    exits 1 if it is stale
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from include.orchestration.generated import keep, parsed_manifest, table
from include.settings import REPO, load_settings

PAGE = REPO / "docs" / "scorecard.md"
INTRODUCTION = """\
# What is incremental and what is not

Made by `python -m include.orchestration.scorecard` from the dbt project; do not edit.

An *event stream* is counted by its rows, a *record set* by its current records. Silver is incremental throughout: it
reads the rows of the keys that changed batches touch, whatever their dates. A directory read whole proves something
about each of its records, so its increment reads the directory's history. What reads everything each night says why.
"""

INCREMENTAL, WHEN_READ, FULL_SCAN = "incremental", "when it is read", "full scan"
Row = tuple[str, str, str, str]


class UnexplainedError(Exception):
    """A model reads everything and does not say why."""


def rows_of(manifest: Mapping[str, Any]) -> list[Row]:
    """Every model: its input's kind, how it is built, what a run reads, or why it reads everything."""
    return [_row(node, manifest) for node in sorted(_models(manifest), key=_place)]


def _models(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def _place(node: Mapping[str, Any]) -> tuple[int, str]:
    materialized = node["config"]["materialized"]
    order = {"incremental": 0, "table": 1}
    return (order.get(materialized, 2), node["name"])


def _row(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> Row:
    meta, materialized = node["config"]["meta"], node["config"]["materialized"]
    streams = [
        source["config"]["meta"]
        for source in (manifest["sources"].get(parent) for parent in node["depends_on"]["nodes"])
        if source is not None and not source["name"].startswith("INGEST_")
    ]
    kind = ", ".join(sorted({stream["input_kind"].replace("_", " ") for stream in streams}))
    if materialized == "incremental":
        return (f"`{node['name']}`", kind or "all streams", INCREMENTAL, _reads(meta, streams))
    if materialized in ("view", "ephemeral"):
        return (f"`{node['name']}`", "models", WHEN_READ, "what its reader asks for")
    reason = meta.get("full_scan_reason")
    if not reason:
        raise UnexplainedError(f"{node['name']} is built as a {materialized}: say why in its meta.full_scan_reason")
    return (f"`{node['name']}`", "models", FULL_SCAN, str(reason))


def _reads(meta: Mapping[str, Any], streams: Sequence[Mapping[str, Any]]) -> str:
    if meta.get("keeps") == "failures":
        return "changed batches"
    if any(stream["load_strategy"] == "full_refresh" for stream in streams):
        return "everything: each file is complete and replaces the last"
    if meta.get("keeps") != "history" and any(stream["coverage"] == "snapshot" for stream in streams):
        return "the whole directory's history: each reading says something about every record"
    return "the keys that changed batches touch"


def page(manifest: Mapping[str, Any]) -> str:
    """The page: the score, then every model."""
    rows = rows_of(manifest)
    score = [(how, str(sum(row[2] == how for row in rows))) for how in (INCREMENTAL, WHEN_READ, FULL_SCAN)]
    parts = (INTRODUCTION, table(("built", "models"), score), table(("model", "input", "built", "a run reads"), rows))
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None, target: Path = PAGE) -> int:
    """The command line."""
    try:
        return keep(
            arguments,
            "include.orchestration.scorecard",
            __doc__,
            target,
            lambda: page(parsed_manifest(load_settings())),
        )
    except UnexplainedError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
