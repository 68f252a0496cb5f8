"""The summary after a run: what was loaded, built and tested, read from the published copy and dbt's own results."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from include.local.console import duration, table


@dataclass(frozen=True)
class StreamRows:
    """One stream's part: batches and rows of this run, and of all runs."""

    client: str
    stream: str
    new_batches: int
    new_rows: int
    batches: int
    rows: int


@dataclass(frozen=True)
class DbtResults:
    """How dbt's nodes ended in one build."""

    models: int = 0
    passed: int = 0
    warned: int = 0
    failed: int = 0
    not_run: int = 0
    warnings: tuple[str, ...] = field(default=())


def read_streams(published: Path, run_ids: list[str]) -> list[StreamRows]:
    """Batches and rows per stream from the published ledgers; nothing published yet is no rows."""
    if not published.is_file():
        return []
    with duckdb.connect(str(published), read_only=True) as connection:
        ledgers = connection.execute(
            "select table_catalog, table_schema from information_schema.tables "
            "where upper(table_name) = 'INGEST_BATCHES'"
        ).fetchall()
        rows: list[StreamRows] = []
        for catalog, schema in ledgers:
            found = connection.execute(
                f"""
                select stream,
                       count(*) filter (pipeline_run_id in (select unnest(?))),
                       coalesce(sum(row_count) filter (pipeline_run_id in (select unnest(?))), 0),
                       count(*),
                       coalesce(sum(row_count), 0)
                from "{catalog}"."{schema}".INGEST_BATCHES
                group by stream order by stream
                """,  # noqa: S608  # the names come from the catalogue itself
                [run_ids, run_ids],
            ).fetchall()
            rows += [StreamRows(schema, str(stream), *(int(n) for n in numbers)) for stream, *numbers in found]
    return rows


def read_dbt(results: Path) -> DbtResults:
    """Count what dbt reported in a run_results.json; a missing file is an empty result."""
    if not results.is_file():
        return DbtResults()
    models = 0
    tests: Counter[str] = Counter()
    warnings = []
    for result in json.loads(results.read_text())["results"]:
        kind = str(result["unique_id"]).split(".")[0]
        status = str(result["status"])
        if kind in ("test", "unit_test"):
            outcome = {"pass": "passed", "warn": "warned", "skipped": "not_run"}.get(status, "failed")
            tests[outcome] += 1
            if outcome == "warned":
                warnings.append(str(result["unique_id"]).split(".")[2])
        elif status == "success":
            models += kind != "operation"
        else:
            tests["not_run" if status == "skipped" else "failed"] += 1
    return DbtResults(models, tests["passed"], tests["warned"], tests["failed"], tests["not_run"], tuple(warnings))


def stream_table(rows: list[StreamRows]) -> list[str]:
    """The streams as lines of a table."""
    return table(
        ["stream", "new batches", "new rows", "batches in all", "rows in all"],
        [[r.stream, f"{r.new_batches:,}", f"{r.new_rows:,}", f"{r.batches:,}", f"{r.rows:,}"] for r in rows],
        right=(1, 2, 3, 4),
    )


def dbt_sentence(results: DbtResults) -> str:
    """Models and tests in one sentence."""
    parts = [f"{results.models:,} models and seeds built"]
    parts.append(f"{results.passed:,} tests passed")
    parts.append(f"{results.warned:,} warned")
    parts.append(f"{results.failed:,} failed")
    if results.not_run:
        parts.append(f"{results.not_run:,} not run")
    return ", ".join(parts)


def phases(seconds: dict[str, float]) -> str:
    """Durations in one line: start 14 s, core_reference 9.1 s, ..."""
    return ", ".join(f"{name} {duration(value)}" for name, value in seconds.items())
