"""The marts as assets: one for each, with a name that holds on every engine, given out when it is published.

Cosmos gives out one for every model too, under the address of its table: those show the lineage, and change with the
engine and the folder. What others schedule by is the marts' own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk import Asset

from include.orchestration.manifest import MARTS, manifest_path
from include.settings import settings

# What every client builds on: core's Silver and dimensions.
REFERENCE = Asset("reference.core")
_LISTED = 50


def marts() -> dict[str, list[str]]:
    """Every mart of the project as it is deployed, with the Bronze tables it is made of."""
    found: dict[str, list[str]] = json.loads(manifest_path(MARTS, settings()).read_text())
    return found


def mart_assets() -> list[Asset]:
    """One asset per mart."""
    return [_asset(name) for name in marts()]


def announce(events: Any, rows: Mapping[str, int], loaded: Iterable[tuple[str, str]]) -> None:
    """Write into the event of each mart how many rows it has and which batches of this run are in it.

    :param events: the task's outlet events
    :param loaded: Bronze table and id of each batch that this run has loaded
    """
    batches = list(loaded)
    for name, tables in marts().items():
        events[_asset(name)].extra = event_extra(rows.get(name), tables, batches)


def event_extra(rows: int | None, tables: Iterable[str], loaded: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What the event of a mart says. A first run loads more batches than anybody reads: they are counted then."""
    own = set(tables)
    batches = sorted(batch_id for table, batch_id in loaded if table in own)
    return {"rows": rows, "batch_count": len(batches), "batches": batches[:_LISTED]}


def _asset(name: str) -> Asset:
    return Asset(f"mart.{name}")
