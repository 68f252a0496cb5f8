"""What does an increment of Silver cost beside a full refresh, and how does that grow with what is there already?

Bronze is made by SQL: issues of about 0.6 KB in batches of 10,000 rows, two and a half versions a key, in two sizes.
Real dbt then builds one model, def_pylon_issues, in full, then batch after batch, then in full again; each build is a
process of its own, so that none is warmer than a night's. Of a batch's rows seven in ten change records from anywhere
in the past and three are new. What counts are the statements dbt sends for the model, its start-up apart; compared are
the processors' seconds, and the clock's beside them. An increment is held against the median of all full builds of its
size, of which the large size has two only, because one takes minutes. DuckDB is held to 8 GB of memory and spills
beyond it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.harness import Curve, Figure, Options, Result, Series
from benchmarks.medallion.building import Build, Statement, built, dbt, opened, write_profile
from include.bronze.batch import METADATA_COLUMNS
from include.bronze.ledger import LEDGER
from include.bronze.streams import streams_of

TABLE = "PYLON_ISSUES"
BATCH = 10_000
VERSIONS_PER_KEY = 2.5
MODEL = "def_pylon_issues"
MEMORY = "8GB"
BUILD = ("run", "--select", MODEL)
# Rows that are there already, and how often they are built in full.
SIZES, QUICK_SIZES = {1_000_000: 5, 10_000_000: 2}, {20_000: 1}
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


@dataclass(frozen=True)
class Measured:
    """One size: its builds in full, and its increments."""

    full: Sequence[Build]
    increments: Sequence[Build]
    file_mb: float

    def ratios(self, attribute: str) -> list[float]:
        """Each increment by a full build, in percent."""
        full = _of(self.full, attribute).median
        return [100 * value / full for value in _of(self.increments, attribute).values]


def measure(folder: Path, rows: int, full_builds: int, increments: int) -> Measured:
    """A full build, some increments, and the other full builds."""
    keys = int(rows / VERSIONS_PER_KEY)
    write_profile(folder, MEMORY)
    file = folder / "warehouse" / "DEF_DB_LOCAL.duckdb"
    file.parent.mkdir(parents=True)
    with opened(file) as connection:
        create_bronze(connection)
        # Version by version: between two of one key lie all the other keys.
        for start in range(0, rows, 1_000_000):
            load(connection, start, min(1_000_000, rows - start), f"i % {keys}")
    full = [built(dbt, folder, *BUILD)]
    found = []
    for start in range(rows, rows + increments * BATCH, BATCH):
        with opened(file) as connection:
            # Seven of ten are changes to records from anywhere in the past, three are new.
            load(connection, start, BATCH, f"case when i % 10 < 3 then {keys} + i else (i * 7919) % {keys} end")
        found.append(built(dbt, folder, *BUILD))
    full += [built(dbt, folder, *BUILD, "--full-refresh") for _ in range(full_builds - 1)]
    return Measured(full, found, file.stat().st_size / 2**20)


def run(options: Options) -> Result:
    """Every size, and what the largest says."""
    sizes = {}
    for rows, full_builds in options.pick(SIZES, QUICK_SIZES).items():
        sizes[rows] = measure(options.folder / str(rows), rows, full_builds, options.repeat)
    smallest, largest = sizes[min(sizes)], sizes[max(sizes)]
    cpu, clock, least = largest.ratios("cpu"), largest.ratios("seconds"), smallest.ratios("cpu")
    grown = _of(largest.increments, "cpu").median / _of(smallest.increments, "cpu").median
    by_step = {rows: _by_step(size.increments) for rows, size in sizes.items()}
    peaks = {"increment": largest.increments, "full": largest.full}
    return Result(
        figures=[
            Figure("ratio", f"increment / full refresh, {max(sizes):,} rows, processors", _median(cpu), "%", "≤ 15"),
            Figure("ratio_clock", "the same by the clock", _median(clock), "%"),
            Figure("ratio_small", f"increment / full refresh, {min(sizes):,} rows, processors", _median(least), "%"),
            Figure(
                "growth",
                f"an increment into {max(sizes):,} rows by one into {min(sizes):,}, processors",
                grown,
                "×",
            ),
            *(
                Figure(
                    f"memory_{name}",
                    f"memory at most, {name}, {max(sizes):,} rows",
                    max(b.peak_mb for b in builds),
                    "MB",
                )
                for name, builds in peaks.items()
            ),
        ],
        series=[
            Series(f"{name} of {rows:,} rows, {by}", "s", _of(builds, attribute).values)
            for rows, size in sizes.items()
            for name, builds in (("increment", size.increments), ("full build", size.full))
            for by, attribute in (("processors", "cpu"), ("clock", "seconds"))
        ],
        curves=[
            Curve(
                "An increment and a full build by rows in Bronze",
                "rows in Bronze",
                "processors' seconds",
                {
                    name: [(rows, _of(getattr(size, builds), "cpu").median) for rows, size in sizes.items()]
                    for name, builds in (("increment", "increments"), ("full build", "full"))
                },
            ),
            Curve(
                "An increment by its steps",
                "rows in Bronze",
                "processors' seconds",
                {step: [(rows, by_step[rows].get(step, 0.0)) for rows in sizes] for step in STEPS},
            ),
        ],
        inputs={
            "model": MODEL,
            "batch_rows": BATCH,
            "versions_per_key": VERSIONS_PER_KEY,
            "memory_limit": MEMORY,
            "file_mb": {rows: round(size.file_mb) for rows, size in sizes.items()},
        },
        remarks=[_slope(by_step)],
    )


def _of(builds: Sequence[Build], attribute: str) -> Series:
    return Series("", "s", [getattr(build, attribute) for build in builds])


def _median(values: Sequence[float]) -> float:
    return Series("", "", values).median


def _by_step(builds: Sequence[Build]) -> dict[str, float]:
    """The median seconds of processors of each step."""
    found: dict[str, list[float]] = {}
    for build in builds:
        steps: dict[str, float] = {}
        for each in build.statements:
            step = _step(each)
            steps[step] = steps.get(step, 0.0) + each.cpu
        for step, seconds in steps.items():
            found.setdefault(step, []).append(seconds)
    return {step: round(_median(values), 4) for step, values in found.items()}


def _step(statement: Statement) -> str:
    return next((name for name, text in STEPS.items() if text in statement.sql), "other")


def _slope(by_step: dict[int, dict[str, float]]) -> str:
    """Which steps grow with what is there, in words."""
    small, large = by_step[min(by_step)], by_step[max(by_step)]
    grown = {step: seconds - small.get(step, 0.0) for step, seconds in large.items()}
    whole = sum(seconds for seconds in grown.values() if seconds > 0) or 1.0
    parts = [
        f"{step} {100 * seconds / whole:.0f} %"
        for step, seconds in sorted(grown.items(), key=lambda each: -each[1])
        if seconds / whole >= 0.05
    ]
    return (
        f"The slope, by steps: {', '.join(parts) or 'nothing'}. `read` finds the touched keys' rows in Bronze and "
        "`merge` those in Silver: DuckDB has no index to find them by, so both look at every key that is there."
    )
