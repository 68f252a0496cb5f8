"""Holding landing, ledger and tables against each other.

The rows a table has are those the ledger says, and the attempt the ledger names is landed whole.
"""

from __future__ import annotations

from collections.abc import Collection

from include.bronze.batch import Batch
from include.bronze.landing import LandingError
from include.bronze.steps import Bronze


def verify(bronze: Bronze, batches: Collection[Batch] | None = None) -> list[str]:
    """Every disagreement, a sentence each; of some batches only, if they are named: the cost is that of those."""
    faults: list[str] = []
    asked = None if batches is None else {batch.id for batch in batches}
    streams = bronze.client.streams
    if batches is not None:
        streams = tuple(bronze.client.stream(name) for name in sorted({batch.stream for batch in batches}))
    with bronze.warehouse() as warehouse:
        ledger = [row for row in warehouse.ledger() if asked is None or row.batch_id in asked]
        counts = {stream.name: warehouse.counts(bronze.table(stream), asked) for stream in streams}
    for stream, held in counts.items():
        recorded = {row.batch_id: row.rows for row in ledger if row.stream == stream}
        for batch_id in sorted({*held, *recorded}):
            if batch_id not in recorded:
                faults.append(f"{batch_id}: {held[batch_id]} rows are in the table and the ledger does not know it")
            elif held.get(batch_id, 0) != recorded[batch_id]:
                rows = held.get(batch_id, 0)
                faults.append(f"{batch_id}: the ledger says {recorded[batch_id]} rows and the table has {rows}")
    landing = bronze.landing
    for row in ledger:
        attempts = {manifest.attempt: manifest for manifest in landing.attempts(Batch.parse(row.batch_id))}
        if row.attempt not in attempts:
            faults.append(f"{row.batch_id}: attempt {row.attempt} was loaded and is not in {landing.root}")
            continue
        try:
            landing.verify(attempts[row.attempt])
        except LandingError as error:
            faults.append(str(error))
        if attempts[row.attempt].checksum != row.checksum:
            faults.append(f"{row.batch_id}: attempt {row.attempt} is landed with another checksum than was loaded")
    return faults
