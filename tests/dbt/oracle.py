"""What Silver must hold, worked out in plain Python from Bronze and its ledger: slow, and short enough to be read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from include.bronze.streams import Coverage, Stream, column_name
from tests.dbt.bronze import STREAMS, Bronze


@dataclass(frozen=True)
class Kept:
    """The row Silver keeps of one key, and what became of the record."""

    record_hash: str
    batch_id: str
    source_file: str
    read_at: datetime | None
    volatile: tuple[str | None, ...]
    parent: str | None
    deleted_at: datetime | None
    deleted_how: str | None


def current_records(bronze: Bronze, stream: str) -> dict[str, Kept]:
    """The current state of every record Bronze holds."""
    rows = _rows(bronze, bronze.table(stream), "true")
    looks = _rows(bronze, f"{bronze.database}.BRONZE.INGEST_COVERAGE", f"STREAM = '{stream}'")
    spec = STREAMS[stream]
    volatile = sorted(column_name(field) for field in spec.volatile)

    def age(row: dict[str, Any]) -> tuple[Any, ...]:
        stamp, read = _version(row, spec), _instant(row["DATE_TO_WAREHOUSE"])
        texts = [
            row["SOURCE_FILE"],
            row["RECORD_HASH"],
            row.get("PARENT_KEY") or "",
            *(row[name] or "" for name in volatile),
        ]
        return (stamp or datetime.min, read or datetime.min, *texts)

    current = {}
    by_key = sorted(rows, key=lambda row: row["RECORD_KEY"])
    for key, versions in groupby(by_key, key=lambda row: row["RECORD_KEY"]):
        newest_first = sorted(versions, key=age, reverse=True)
        newest = kept = newest_first[0]
        for older in newest_first[1:]:
            if (older["RECORD_HASH"], older.get("PARENT_KEY")) != (kept["RECORD_HASH"], kept.get("PARENT_KEY")):
                break
            kept = older
        last_seen = _instant(newest["DATE_TO_WAREHOUSE"])
        assert last_seen is not None
        missed = min(_misses(spec.coverage, key, newest.get("PARENT_KEY"), looks, last_seen), default=(None, 0, None))
        current[key] = Kept(
            record_hash=kept["RECORD_HASH"],
            batch_id=kept["BATCH_ID"],
            source_file=kept["SOURCE_FILE"],
            read_at=_instant(kept["DATE_TO_WAREHOUSE"]),
            volatile=tuple(kept[name] for name in volatile),
            parent=kept.get("PARENT_KEY"),
            deleted_at=missed[0],
            deleted_how=missed[2],
        )
    return current


def distinct_records(bronze: Bronze, stream: str) -> dict[str, Kept]:
    """Every distinct content of every record Bronze holds, by the row that delivered it first."""
    volatile = sorted(column_name(field) for field in STREAMS[stream].volatile)
    first: dict[str, tuple[tuple[Any, ...], Kept]] = {}
    for row in _rows(bronze, bronze.table(stream), "true"):
        read = _instant(row["DATE_TO_WAREHOUSE"])
        age = (read or datetime.min, row["SOURCE_FILE"], *(row[name] or "" for name in volatile))
        kept = Kept(row["RECORD_HASH"], row["BATCH_ID"], row["SOURCE_FILE"], read, (), None, None, None)
        key = f"{row['RECORD_KEY']}|{row['RECORD_HASH']}"
        if key not in first or age < first[key][0]:
            first[key] = (age, kept)
    return {key: kept for key, (_, kept) in first.items()}


def lost_values(bronze: Bronze) -> dict[tuple[str, str, str, str], datetime | None]:
    """Every title that says nothing and every stamp that is none, of issues: file, key, column and text, and when read."""
    lost: dict[tuple[str, str, str, str], datetime | None] = {}
    for row in _rows(bronze, bronze.table("pylon_issues"), "true"):
        read = _instant(row["DATE_TO_WAREHOUSE"])
        for column, text in (("TITLE", row["TITLE"]), ("UPDATED_AT", row["UPDATED_AT"])):
            if (text.strip() in ("", "∅")) if column == "TITLE" else _instant(text) is None:
                place = (row["SOURCE_FILE"], row["RECORD_KEY"], column, text)
                lost[place] = min(filter(None, (lost.get(place), read)), default=None)
    return lost


def _version(row: dict[str, Any], spec: Stream) -> datetime | None:
    """When a row's version is from, by the vendor."""
    if spec.version_stamp is None:
        return None
    stamp = row[column_name(spec.version_stamp)]
    if stamp and spec.stamp_path:
        stamp = json.loads(stamp).get(spec.stamp_path)
    return _instant(stamp)


def _misses(
    coverage: Coverage, key: str, parent: str | None, looks: Iterable[dict[str, Any]], last_seen: datetime
) -> Iterable[tuple[datetime, int, str]]:
    """Every look that missed the record, with its rank among looks of the same instant."""
    for look in looks:
        scope, outcome, seen_at = look["SCOPE"], look["OUTCOME"], look["OBSERVED_AT"]
        if seen_at <= last_seen:
            continue
        if scope == key and outcome == "gone":
            yield seen_at, 0, "gone"
        if coverage is Coverage.SNAPSHOT and scope == "*" and outcome == "complete":
            yield seen_at, 1, "not in the directory"
        if coverage is Coverage.PARENT and scope == parent:
            yield seen_at, *((2, "parent gone") if outcome == "gone" else (1, "not under its parent"))


def _rows(bronze: Bronze, table: str, condition: str) -> list[dict[str, Any]]:
    relation = bronze.connection.execute(f"select * from {table} where {condition}")
    names = [column[0].upper() for column in relation.description]
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None) if text else None
    except ValueError:
        return None
