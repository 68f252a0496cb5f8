"""What the size of a table costs a load: a batch of 10,000 rows replaced among 100,000 rows and among 10,000,000.

The table and its ledger are made by SQL: messages of about 0.7 KB in batches of 10,000 rows. Batches from the middle
are landed by the product's own landing and then loaded, another one in each round, small table and large table in turn,
each as a night does it: the lock, opening the file, the checksums of the parts, one transaction that deletes the batch,
copies it in and writes its ledger rows, and closing the file, which writes what has changed to disk. The ratio is of
seconds on the clock, as the disk takes part in it.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb

from benchmarks.bronze import product, replies
from benchmarks.harness import Figure, Options, Result, Series, in_turn, ratios
from include.bronze.ledger import LEDGER
from include.bronze.steps import Bronze
from include.bronze.streams import streams_of

TABLE, STREAM = "PYLON_MESSAGES", "pylon_messages"
BATCH, EACH = 10_000, 10
SIZES, QUICK_SIZES = (100_000, 10_000_000), (40_000, 60_000)
TIMES = "timestamp '2000-01-01', timestamp '2000-01-02'"


def filled(folder: Path, rows: int, rounds: int) -> None:
    """A data folder with a table of that many rows."""
    file = folder / "warehouse" / "DEF_DB_LOCAL.duckdb"
    file.parent.mkdir(parents=True)
    stream = streams_of("pylon")["messages"]
    columns = ", ".join(f'"{column}" varchar' for column in [*stream.columns, *stream.metadata])
    # The batches that will be replaced lie in the middle of the table, next to each other.
    middle = rows // BATCH // 2 - rounds // 2
    landed = ", ".join(f"'{product.batch(STREAM, number).id}'" for number in range(rounds))
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema BRONZE")
        connection.execute(f"create table BRONZE.{TABLE} ({columns})")
        for table in LEDGER:
            connection.execute(f"create table BRONZE.{table.name} ({table.definition})")
        for first in range(0, rows, 1_000_000):
            connection.execute(
                f"""
                insert into BRONZE.{TABLE} by name
                select
                    'message-' || i as ID, ID as RECORD_KEY, 'issue-' || (i // {EACH}) as PARENT_KEY,
                    '<p>' || repeat('words of a customer ', 16) || md5(i::varchar) || '</p>' as MESSAGE_HTML,
                    strftime(timestamp '2025-01-01' + to_seconds(i), '%Y-%m-%dT%H:%M:%SZ') as "TIMESTAMP",
                    'email' as SOURCE, 'false' as IS_PRIVATE, 'false' as AUTHOR_UNVERIFIED,
                    '{{"name":"A person","contact":{{"id":"' || md5((i % 5000)::varchar) || '"}}}}' as AUTHOR,
                    md5(i::varchar) as RECORD_HASH,
                    strftime(timestamp '2025-01-01' + to_seconds(i), '%Y-%m-%dT%H:%M:%S.%fZ') as DATE_TO_WAREHOUSE,
                    case
                        when i // {BATCH} between {middle} and {middle + rounds - 1}
                            then [{landed}][i // {BATCH} - {middle} + 1]
                        else
                            'def__{STREAM}__20000101T000000Z__'
                            || strftime(timestamp '2001-01-01' + to_days((i // {BATCH})::integer), '%Y%m%dT%H%M%SZ')
                    end as BATCH_ID,
                    'def/{STREAM}/part-00001.parquet#page=' || (i % {BATCH} // {EACH}) as SOURCE_FILE,
                    'benchmark' as PIPELINE_RUN_ID
                from range({first}, {min(first + 1_000_000, rows)}) as numbers(i)
                """  # noqa: S608
            )
        connection.execute(
            f"""
            insert into BRONZE.INGEST_BATCHES
            select
                '{STREAM}', BATCH_ID, 'made', 'made', count(*), 'none', {TIMES}, {TIMES},
                now()::timestamp, 'benchmark', 'incremental'
            from BRONZE.{TABLE}
            where BATCH_ID not in ({landed})
            group by BATCH_ID
            """  # noqa: S608
        )


def run(options: Options) -> Result:
    """The same batch into both."""
    sizes = options.pick(SIZES, QUICK_SIZES)
    rounds = options.repeat + 1  # the first is for warmth
    contenders: dict[str, Callable[[], None]] = {}
    for rows in sizes:
        folder = options.folder / str(rows)
        filled(folder, rows, rounds)
        steps = product.bronze(folder)
        for number in range(rounds):
            parents = range(number * BATCH // EACH, (number + 1) * BATCH // EACH)
            keys = [replies.identity("issue", parent) for parent in parents]
            product.land(steps, STREAM, replies.message_replies(parents, EACH), keys, number)

        contenders[f"{rows:,} rows"] = partial(_replace, steps, itertools.count())
    took = in_turn(contenders, options.repeat)
    small, large = took.values()
    figures = [
        Figure(
            "ratio",
            f"into {sizes[1]:,} rows by into {sizes[0]:,} rows, clock",
            statistics.median(ratios(large, small, "seconds")),
            "times",
            "≤ 2",
        ),
        Figure("ratio_cpu", "the same, CPU", statistics.median(ratios(large, small)), "times"),
    ]
    series = [
        Series(f"into {name}, {label}", "s", [getattr(each, attribute) for each in found])
        for name, found in took.items()
        for attribute, label in (("seconds", "clock"), ("cpu", "CPU"))
    ]
    file_mb = (options.folder / str(sizes[1]) / "warehouse" / "DEF_DB_LOCAL.duckdb").stat().st_size >> 20
    return Result(figures, series, inputs={"rows": list(sizes), "batch": BATCH, "file of the larger, MB": file_mb})


def _replace(steps: Bronze, numbers: Iterator[int]) -> None:
    """Load the next of the batches."""
    loaded = product.load(steps, STREAM, next(numbers))
    assert loaded.rows == loaded.rows_before == BATCH
