"""How long the business seconds, and the deadlines, of many tickets take: the project's own macros on DuckDB.

    .venv/bin/python -m benchmarks.business_time [--tickets 1000000] [--threads 2] [--repeat 5]

The calendar is built by dbt in a folder of its own; then only the statement is timed that turns a table of tickets (two
instants and a target each) into a table of seconds. The result is JSON, with every repetition and what it ran on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from include.settings import DBT_PROJECT_DIR

CALENDAR = "core.GOLD.dim_business_calendar"
TICKETS = """
create table tickets as
select
    timestamp '2025-01-01' + to_microseconds(cast(hash(range) % 40_000_000_000_000 as bigint)) as created_at,
    created_at + to_microseconds(cast(hash(range, 'open for') % 5_000_000_000_000 as bigint)) as resolved_at,
    cast(3600 as bigint) * [1, 4, 10, 30, 50][1 + range % 5] as target
from range({tickets})
"""
SECONDS = """
select
    {{ business_seconds_between('opened', 'tickets.created_at', 'closed', 'tickets.resolved_at') }} as seconds,
    {{ business_level('opened', 'tickets.created_at', 'tickets.target') }} as due_level
from tickets
left join CALENDAR as opened
    on {{ in_business_stretch('opened', "'def'", 'tickets.created_at') }}
left join CALENDAR as closed
    on {{ in_business_stretch('closed', "'def'", 'tickets.resolved_at') }}
"""
DEADLINES = """
with deadline_stretches as (
    {{ business_deadline_stretches() }}
),
measured as (SECONDS)
select
    measured.seconds,
    {{ business_deadline('due', 'measured.due_level') }} as due_at
from measured
left join deadline_stretches as due
    on {{ in_deadline_stretch('due', "'def'", 'measured.due_level') }}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        statements = prepared(Path(folder))
        with duckdb.connect() as connection:
            connection.execute(f"set threads = {options.threads}")
            connection.execute(f"attach '{Path(folder) / 'warehouse' / 'CORE_DB_LOCAL.duckdb'}' as core (read_only)")
            connection.execute(TICKETS.format(tickets=options.tickets))
            seconds = {name: timed(connection, sql, options.repeat) for name, sql in statements.items()}
    facts = {"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()}
    print(json.dumps({**vars(options), "duckdb": duckdb.__version__, **facts, "seconds": seconds}, indent=2))


def prepared(folder: Path) -> dict[str, str]:
    """The calendar in a data folder, and the statements as dbt compiles them."""
    (folder / "warehouse").mkdir()
    for command in ("seed", "run"):
        dbt(folder, command, "--select", "+dim_business_calendar")
    texts = {"seconds": SECONDS, "seconds and deadlines": DEADLINES.replace("SECONDS", SECONDS)}
    statements = {}
    for name, text in texts.items():
        said = dbt(folder, "compile", "--output", "json", "--inline", text.replace("CALENDAR", CALENDAR))
        compiled: str = json.loads(said)["compiled"]
        statements[name] = compiled.replace('"CORE_DB_LOCAL"."GOLD"."dim_business_calendar"', CALENDAR)
    return statements


def dbt(folder: Path, *arguments: str) -> str:
    """One dbt command on the data folder, in a process of its own so that it lets go of the file."""
    environment = {
        "SUPPORT_DATA_DIR": str(folder),
        "SUPPORT_TARGET": "local",
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DO_NOT_TRACK": "1",
    }
    where = ["--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR), "--quiet"]
    command = [sys.executable, "-m", "dbt.cli.main", *arguments, *where]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


def timed(connection: duckdb.DuckDBPyConnection, sql: str, repeat: int) -> list[float]:
    found = []
    for _ in range(repeat):
        started = time.perf_counter()
        connection.execute(f"create or replace temp table measured as {sql}")
        found.append(round(time.perf_counter() - started, 3))
    return found


if __name__ == "__main__":
    main()
