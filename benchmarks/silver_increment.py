"""What an increment of Silver costs beside a full refresh, and how that grows with what is already there.

Bronze is made by SQL: issues of about 0.6 KB in batches of 10,000 rows, two and a half versions a key. Real dbt then
builds one model in full, one batch at a time, and in full again; each build is a process of its own. What counts is the
time of the statements dbt sends for the model, on the clock and of the processors; dbt's start-up is in the wall time.

    python -m benchmarks.silver_increment                        1 million and 10 million rows
    python -m benchmarks.silver_increment --quick                 50,000 and 200,000 rows, to see that it works
    python -m benchmarks.silver_increment --rows 1000000 --model def_pylon_issues_versions --out result.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb
import yaml

from include.bronze.batch import METADATA_COLUMNS
from include.bronze.ledger import LEDGER
from include.bronze.streams import streams_of
from include.settings import DBT_PROJECT_DIR, REPO, load_settings

TABLE = "PYLON_ISSUES"
BATCH = 10_000
VERSIONS_PER_KEY = 2.5
SIZES, QUICK_SIZES = (1_000_000, 10_000_000), (50_000, 200_000)
# Statements by a text that only they hold among those further down.
STEPS = {
    "announce": "set LOAD_ID = 'unknown'",
    "mark": "set\n        LOAD_ID = pending.LOAD_ID",
    "merge": "DBT_INTERNAL_DEST",
    "read": "__dbt_tmp",
    "prune": 'delete from "DEF_DB_LOCAL"."SILVER"."APPLIED_KEYS"',
    "forget": "delete from",
    "touch": "__touched as",
    "remember": "insert into",
    "note": "__pending as",
    "commit": "COMMIT",
}


@contextmanager
def opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The client's file, written to disk when the block ends: dbt is to open it, not to replay a log."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
        yield connection
        connection.execute("checkpoint")


def create_bronze(connection: duckdb.DuckDBPyConnection) -> None:
    """The stream's table and the ledger, empty."""
    columns = [*streams_of("pylon")["issues"].columns, *METADATA_COLUMNS]
    connection.execute("create schema BRONZE")
    body = ", ".join(f'"{column}" varchar' for column in columns)
    connection.execute(f"create table BRONZE.{TABLE} ({body})")
    for table in LEDGER:
        connection.execute(f"create table BRONZE.{table.name} ({table.definition})")


def load(connection: duckdb.DuckDBPyConnection, first: int, count: int, key: str) -> None:
    """Load rows in batches; `key` is the number of row i's record."""
    connection.execute("begin")
    connection.execute(
        f"""
        insert into BRONZE.{TABLE} by name
        select
            'key-' || lpad(k::varchar, 9, '0') as ID, ID as RECORD_KEY,
            (k % 1000000)::varchar as NUMBER,
            'Ticket ' || k || ' about something that takes a line to say' as TITLE,
            'https://app.usepylon.com/issues?issueNumber=' || k as LINK,
            '<p>' || repeat('words of a customer ', 8) || k || '</p>' as BODY_HTML,
            case i % 4 when 0 then 'new' when 1 then 'waiting_on_you' when 2 then 'on_hold' else 'closed' end as STATE,
            'email' as SOURCE, 'conversation' as TYPE,
            strftime(timestamp '2025-01-01' + to_seconds(k), '%Y-%m-%dT%H:%M:%SZ') as CREATED_AT,
            strftime(timestamp '2025-01-01' + to_seconds(i), '%Y-%m-%dT%H:%M:%S.%fZ') as UPDATED_AT,
            (i % 9)::varchar as NUMBER_OF_TOUCHES,
            '{{"id":"acc-' || (k % 500) || '"}}' as ACCOUNT,
            '{{"priority":{{"value":"high"}},"category":{{"value":"bug"}}}}' as CUSTOM_FIELDS,
            md5(i::varchar) as RECORD_HASH,
            strftime(timestamp '2025-01-01' + to_seconds(i + 60), '%Y-%m-%dT%H:%M:%S.%fZ') as DATE_TO_WAREHOUSE,
            'def__{TABLE.lower()}__' || (i // {BATCH}) as BATCH_ID,
            'landing/' || BATCH_ID || '/part-00001.parquet#page=' || lpad((i % {BATCH} // 500)::varchar, 6, '0')
                as SOURCE_FILE,
            'benchmark' as PIPELINE_RUN_ID
        from (select i, {key} as k from range({first}, {first + count}) as rows(i))
        """  # noqa: S608
    )
    connection.execute(
        f"""
        insert into BRONZE.INGEST_BATCHES
        select
            '{TABLE.lower()}', 'def__{TABLE.lower()}__' || batch, 'a1', uuid()::varchar, {BATCH}, 'none',
            {"now()::timestamp, " * 5} 'benchmark', 'incremental'
        from range({first // BATCH}, {(first + count) // BATCH}) as batches(batch)
        """  # noqa: S608
    )
    connection.execute("commit")


@dataclass
class Statement:
    """One that dbt sent for the model: how long it took, and how much of the processors' time."""

    sql: str
    cpu: float
    seconds: float = 0.0


def write_profile(folder: Path, memory: str) -> None:
    """The project's own profile with a limit on what DuckDB may keep in memory; beyond it, it spills to disk."""
    profile = yaml.safe_load((DBT_PROJECT_DIR / "profiles.yml").read_text())
    profile["default"]["outputs"]["local"]["config_options"] = {"memory_limit": memory}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))


def build(data_dir: Path, model: str, full: bool) -> dict[str, Any]:
    """One run of dbt in this process: its statements' seconds by step, the wall's, and the memory at its highest."""
    from dbt.cli.main import dbtRunner
    from dbt_common.events.base_types import EventMsg

    os.environ.update({"SUPPORT_DATA_DIR": str(data_dir), "SUPPORT_TARGET": "local", "SUPPORT_CLOCK_FILE": ""})
    settings = load_settings()
    os.environ.update(settings.dbt_environment | settings.dbt_paths)
    sent: list[Statement] = []

    def listen(event: EventMsg) -> None:
        if event.info.name not in ("SQLQuery", "SQLQueryStatus"):
            return
        if event.data.node_info.unique_id != f"model.support_medallion.{model}":
            return
        if event.info.name == "SQLQuery":
            sent.append(Statement(event.data.sql, cpu=-time.process_time()))
        else:
            sent[-1].seconds = event.data.elapsed
            sent[-1].cpu += time.process_time()

    project = str(DBT_PROJECT_DIR)
    options = ["--full-refresh"] if full else []
    started = time.monotonic()
    ended = dbtRunner(callbacks=[listen]).invoke(
        ["run", "--quiet", "--select", model, "--project-dir", project, "--profiles-dir", str(data_dir), *options]
    )
    wall = time.monotonic() - started
    if not ended.success:
        raise SystemExit(f"dbt could not build {model}: {ended.exception or ended.result.results[0].message}")
    return {
        "seconds": round(sum(each.seconds for each in sent), 3),
        "cpu_seconds": round(sum(each.cpu for each in sent), 3),
        "cpu_steps": _by_step(sent),
        "wall_seconds": round(wall, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _by_step(sent: Sequence[Statement]) -> dict[str, float]:
    steps: dict[str, float] = {}
    for each in sent:
        step = next((name for name, text in STEPS.items() if text in each.sql), "other")
        steps[step] = round(steps.get(step, 0.0) + each.cpu, 3)
    return steps


def apart(data_dir: Path, model: str, *, full: bool) -> dict[str, Any]:
    """The same in a process of its own, so that memory is of this build only."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(build, data_dir, model, full).result()


def measure(rows: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One size: a full build, some increments, a full refresh."""
    keys = int(rows / VERSIONS_PER_KEY)
    model, increments = options.model, options.increments
    write_profile(folder, options.memory)
    file = folder / "warehouse" / "DEF_DB_LOCAL.duckdb"
    file.parent.mkdir()
    with opened(file) as connection:
        create_bronze(connection)
        # Version by version: between two of one key lie all the other keys.
        for start in range(0, rows, 1_000_000):
            load(connection, start, min(1_000_000, rows - start), f"i % {keys}")
    first = apart(folder, model, full=True)
    steps = []
    for start in range(rows, rows + increments * BATCH, BATCH):
        with opened(file) as connection:
            # Seven of ten are changes to records from anywhere in the past, three are new.
            load(connection, start, BATCH, f"case when i % 10 < 3 then {keys} + i else (i * 7919) % {keys} end")
        steps.append(apart(folder, model, full=False))
    full = apart(folder, model, full=True)
    increment = {name: statistics.median(step[name] for step in steps) for name in ("seconds", "cpu_seconds")}
    return {
        "rows": rows,
        "keys": keys,
        "file_mb": file.stat().st_size // 2**20,
        "increment": increment,
        "full_refresh": {name: full[name] for name in increment},
        "ratio": {name: round(increment[name] / full[name], 4) for name in increment},
        "peak_mb": {"increment": max(step["peak_mb"] for step in steps), "full_refresh": full["peak_mb"]},
        "builds": {"first": first, "increments": steps, "full_refresh": full},
    }


def machine() -> dict[str, Any]:
    """Where and by what it was measured."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=REPO, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "cores": os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "load_average": [round(each, 1) for each in os.getloadavg()],
        "python": platform.python_version(),
        **{name: version(name) for name in ("duckdb", "dbt-core", "dbt-duckdb")},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.silver_increment", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rows", type=int, nargs="+", help="delivered rows that are there already")
    parser.add_argument("--model", default="def_pylon_issues", help="a Silver model of the stream pylon_issues")
    parser.add_argument("--increments", type=int, default=3, help="batches of 10,000 rows, one after the other")
    parser.add_argument("--memory", default="8GB", help="what DuckDB may keep in memory")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--folder", type=Path, help="where the warehouses are made, and removed again")
    parser.add_argument("--out", type=Path, help="where the result goes; printed in any case")
    options = parser.parse_args(arguments)
    sizes = options.rows or (QUICK_SIZES if options.quick else SIZES)
    facts = {"machine": machine(), "memory_limit": options.memory, "model": options.model, "batch": BATCH}
    result: dict[str, Any] = {**facts, "sizes": []}
    for rows in sizes:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            result["sizes"].append(measure(rows, options, Path(folder)))
    text = json.dumps(result, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
