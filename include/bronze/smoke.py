"""`make smoke-snowflake`: a load and its undoing on a real account, in a schema of its own that is dropped at the end.

For a person who has an account. It writes and reads what the loader does: tables, a stage, a transaction, the ledger.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from include.bronze.batch import METADATA_COLUMNS, Batch, Window
from include.bronze.landing import CoveredScope, Landing, Manifest
from include.bronze.steps import connection_from_environment, snowflake_environment
from include.bronze.warehouses import BronzeTable, WarehouseError
from include.settings import ConfigurationError
from include.snowflake import Login

DATABASE = "DEF_DB_DEV"
BATCH = Batch("def", "smoke", Window(datetime(2026, 1, 4, 6, tzinfo=UTC), datetime(2026, 1, 5, 6, tzinfo=UTC)))
TABLE = BronzeTable("SMOKE", "smoke", ("ID", "STATE", *METADATA_COLUMNS), False, False, False, None)


def landed(landing: Landing, ids: list[str], state: str, *more: str) -> Manifest:
    """One attempt with a row per id, each in a part of its own."""
    now = datetime.now(UTC)
    folder = landing.new_attempt(BATCH, now)
    parts = []
    for number, key in enumerate(ids, 1):
        row = {"ID": key, "STATE": state} | dict.fromkeys((*METADATA_COLUMNS, *more), "x")
        row |= {"RECORD_KEY": key, "BATCH_ID": BATCH.id, "DATE_TO_WAREHOUSE": "2026-01-05T06:20:00.000000Z"}
        parts.append(landing.write_part(landing.part_path(folder, number), {name: [row[name]] for name in row}))
    window = BATCH.window
    manifest = Manifest(
        client=BATCH.client,
        stream=BATCH.stream,
        batch_id=BATCH.id,
        attempt=folder.rsplit("/", 1)[1],
        strategy="incremental",
        window_start=window.start,
        window_end=window.end,
        asked_from=window.start - timedelta(hours=1),
        asked_to=window.end,
        started_at=now,
        ended_at=now,
        pipeline_run_id="smoke",
        rows=len(ids),
        pages=1,
        columns=(*TABLE.columns, *more),
        parts=tuple(parts),
        coverage=(CoveredScope("*", "complete", now, len(ids)),),
    )
    landing.complete(folder, manifest)
    return manifest


def smoke(login: Login, database: str = DATABASE) -> list[str]:
    """What was seen to work, in order; raises at what does not."""
    from include.bronze.warehouses.snowflake import SnowflakeWarehouse

    schema = f"SMOKE_{uuid4().hex[:8]}".upper()
    done = []
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SnowflakeWarehouse(login, database, {"by": "make smoke-snowflake"}, schema=schema)) as warehouse,
    ):
        done.append(f"{login.user} logs in as {login.role} and finds {database}")
        landing = Landing(folder)
        try:
            warehouse.load(TABLE, landed(landing, ["a", "b", "c"], "new"), landing, "smoke")
            _expect(warehouse.counts(TABLE), {BATCH.id: 3})
            done.append(f"three rows in three parts are loaded into {schema}")
            again = warehouse.load(TABLE, landed(landing, ["a", "b"], "closed", "SENTIMENT"), landing, "smoke")
            _expect((again.rows, again.rows_before, again.new_columns), (2, 3, ("SENTIMENT",)))
            done.append("the batch is replaced by one of two rows and a new column")
            lying = replace(landed(landing, ["d"], "new"), rows=2)
            try:
                warehouse.load(TABLE, lying, landing, "smoke")
            except WarehouseError:
                _expect(warehouse.counts(TABLE), {BATCH.id: 2})
                done.append("a load that fails changes nothing")
            else:
                raise WarehouseError("a load whose manifest is wrong was taken")
            _expect(sorted(warehouse.known(TABLE)), ["a", "b"])
            _expect([(row.rows, row.window) for row in warehouse.ledger()], [(2, BATCH.window)])
            done.append("the ledger has the batch once, with its window")
        finally:
            warehouse.drop_schema()
        done.append(f"{schema} is dropped")
    return done


def _expect(found: object, wanted: object) -> None:
    if found != wanted:
        raise WarehouseError(f"Snowflake answers {found}, and {wanted} was expected")


def main() -> int:
    try:
        login = Login.read({**os.environ, **snowflake_environment(connection_from_environment)})
        for line in smoke(login, os.environ.get("SNOWFLAKE_SMOKE_DATABASE") or DATABASE):
            print(f"ok  {line}")
    except (ConfigurationError, WarehouseError) as error:
        print(f"smoke-snowflake: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
