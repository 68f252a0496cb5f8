"""How long do the business seconds, and the deadlines, of a million tickets take?

The project's own macros, compiled by dbt over the calendar that dbt has built, on one DuckDB connection with two
threads. Timed is only the statement that turns a table of tickets (two instants and a target each, spread over 15
months) into a table of seconds, or of seconds and deadlines; making the tickets and the calendar is not. The two take
turns, after each has run once for warmth. What counts is the clock.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import duckdb

from benchmarks.harness import Figure, Options, Result, Series, in_turn
from include.settings import DBT_PROJECT_DIR

TICKETS_MADE, QUICK_TICKETS, THREADS = 1_000_000, 50_000, 2
CALENDAR = "core.GOLD.dim_business_calendar"
TESTS = ("resource_type:test", "resource_type:unit_test")
NEXT = "\n;\n"
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


def run(options: Options) -> Result:
    """Both statements in turn."""
    tickets = options.pick(TICKETS_MADE, QUICK_TICKETS)
    statements = prepared(options.folder)
    with duckdb.connect() as connection:
        connection.execute(f"set threads = {THREADS}")
        connection.execute(f"attach '{options.folder / 'warehouse' / 'CORE_DB_LOCAL.duckdb'}' as core (read_only)")
        connection.execute(TICKETS.format(tickets=tickets))

        def measured(sql: str) -> None:
            connection.execute(f"create or replace temp table measured as {sql}")

        found = in_turn({name: partial(measured, sql) for name, sql in statements.items()}, options.repeat)
    series = {
        name: Series(f"{name} of {tickets:,} tickets", "s", [t.seconds for t in taken]) for name, taken in found.items()
    }
    return Result(
        figures=[
            Figure("seconds", f"business seconds of {tickets:,} tickets", series["seconds"].median, "s", "≤ 1"),
            Figure("deadlines", "the same with a deadline each", series["seconds and deadlines"].median, "s"),
        ],
        series=list(series.values()),
        inputs={"tickets": tickets, "threads": THREADS},
        remarks=["Both engines run the same text; only DuckDB was timed."],
    )


def prepared(folder: Path) -> dict[str, str]:
    """The calendar in a data folder, and the statements as dbt compiles them, both at once."""
    (folder / "warehouse").mkdir()
    dbt(
        folder,
        "build",
        "--select",
        "+dim_business_calendar",
        "--exclude",
        "resource_type:test",
        "resource_type:unit_test",
    )
    texts = [SECONDS, DEADLINES.replace("SECONDS", SECONDS)]
    said = dbt(folder, "compile", "--output", "json", "--inline", NEXT.join(texts).replace("CALENDAR", CALENDAR))
    compiled: str = json.loads(said)["compiled"]
    statements = compiled.replace('"CORE_DB_LOCAL"."GOLD"."dim_business_calendar"', CALENDAR).split(NEXT)
    return dict(zip(("seconds", "seconds and deadlines"), statements, strict=True))


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
