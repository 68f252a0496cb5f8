"""Holding landing, ledger and tables against each other.

The rows a table has are those the ledger says, and the attempt the ledger names is landed whole.
"""

from __future__ import annotations

from include.bronze.batch import Batch
from include.bronze.landing import LandingError
from include.bronze.steps import Bronze


def verify(bronze: Bronze) -> list[str]:
    """Every disagreement, a sentence each."""
    faults: list[str] = []
    with bronze.warehouse() as warehouse:
        ledger = warehouse.ledger()
        counts = {stream.name: warehouse.counts(bronze.table(stream)) for stream in bronze.client.streams}
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
