"""The ledger: which batches are loaded, and what they prove about records they do not hold.

INGEST_BATCHES and INGEST_COVERAGE live in the batch's own database and are written in the batch's own transaction, so
they are never ahead of the data and never behind it. INGEST_ATTEMPTS is copied from landing when a run is over: what
was tried, complete or not, and why it failed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.bronze.batch import stamp
from include.bronze.landing import Attempt, Manifest, Outcome

SCHEMA = "BRONZE"
BATCHES = "INGEST_BATCHES"
COVERAGE = "INGEST_COVERAGE"
ATTEMPTS = "INGEST_ATTEMPTS"
# A vendor's lists may still show what was deleted so long ago.
STALE = timedelta(hours=1)


@dataclass(frozen=True)
class LedgerTable:
    """A ledger table's columns with their types, the same on every engine."""

    name: str
    columns: tuple[tuple[str, str], ...]
    optional: frozenset[str] = frozenset()

    @property
    def definition(self) -> str:
        return ", ".join(f"{name} {kind}{'' if name in self.optional else ' NOT NULL'}" for name, kind in self.columns)


LEDGER = (
    LedgerTable(
        BATCHES,
        (
            ("STREAM", "VARCHAR"),
            ("BATCH_ID", "VARCHAR"),
            ("ATTEMPT", "VARCHAR"),
            ("LOAD_ID", "VARCHAR"),
            ("ROW_COUNT", "BIGINT"),
            ("CHECKSUM", "VARCHAR"),
            ("WINDOW_START", "TIMESTAMP"),
            ("WINDOW_END", "TIMESTAMP"),
            ("EXTRACTED_FROM", "TIMESTAMP"),
            ("EXTRACTED_TO", "TIMESTAMP"),
            ("LOADED_AT", "TIMESTAMP"),
            ("PIPELINE_RUN_ID", "VARCHAR"),
            ("LOAD_STRATEGY", "VARCHAR"),
        ),
    ),
    LedgerTable(
        COVERAGE,
        (
            ("STREAM", "VARCHAR"),
            ("BATCH_ID", "VARCHAR"),
            ("SCOPE", "VARCHAR"),
            ("OUTCOME", "VARCHAR"),
            ("OBSERVED_AT", "TIMESTAMP"),
            ("ROW_COUNT", "BIGINT"),
        ),
    ),
    LedgerTable(
        ATTEMPTS,
        (
            ("STREAM", "VARCHAR"),
            ("BATCH_ID", "VARCHAR"),
            ("ATTEMPT", "VARCHAR"),
            ("OUTCOME", "VARCHAR"),
            ("STARTED_AT", "TIMESTAMP"),
            ("ENDED_AT", "TIMESTAMP"),
            ("ROW_COUNT", "BIGINT"),
            ("PAGES", "BIGINT"),
            ("PIPELINE_RUN_ID", "VARCHAR"),
            ("ERROR", "VARCHAR"),
        ),
        optional=frozenset({"ENDED_AT", "ERROR"}),
    ),
)


@dataclass(frozen=True)
class Load:
    """One load of one attempt, as the ledger will name it."""

    id: str
    run_id: str
    at: str


def batch_row(manifest: Manifest, load: Load) -> tuple[object, ...]:
    """The INGEST_BATCHES row of a load."""
    return (
        manifest.stream,
        manifest.batch_id,
        manifest.attempt,
        load.id,
        manifest.rows,
        manifest.checksum,
        _naive(manifest.window_start),
        _naive(manifest.window_end),
        _naive(manifest.asked_from),
        _naive(manifest.asked_to),
        load.at,
        load.run_id,
        manifest.strategy,
    )


def coverage_rows(manifest: Manifest) -> list[tuple[object, ...]]:
    """The INGEST_COVERAGE rows of a batch."""
    return [
        (manifest.stream, manifest.batch_id, scope.scope, scope.outcome, _naive(scope.observed_at), scope.rows)
        for scope in manifest.coverage
    ]


def attempt_row(attempt: Attempt) -> tuple[object, ...]:
    """The INGEST_ATTEMPTS row of an attempt whose run is over: what is still running then was cut off."""
    return (
        attempt.stream,
        attempt.batch_id,
        attempt.name,
        str(Outcome.CUT_OFF if attempt.outcome is Outcome.RUNNING else attempt.outcome),
        _naive(attempt.started_at),
        _naive(attempt.ended_at) if attempt.ended_at else None,
        attempt.rows,
        attempt.pages,
        attempt.pipeline_run_id,
        attempt.error,
    )


def _naive(instant: object) -> str:
    # Ledger instants are UTC without a zone, as text: every engine casts this form to TIMESTAMP the same way.
    return str(instant).removesuffix("+00:00")


def looked_for_at(read_at: str, deleted_at: str | None) -> str:
    """From when on a reported deletion is proof that the record is gone.

    A log of deletions keeps its entry when the record is recovered, and may be read long after. So a reading of the
    record that is later than its deletion says that it is back, whenever the log was read; unless it is so little later
    that the vendor's lists may have been stale.
    """
    try:
        told = json.loads(deleted_at)["iso8601"] if deleted_at and deleted_at.startswith("{") else deleted_at
        gone = datetime.fromisoformat(told or "")
    except (ValueError, KeyError, TypeError):
        return read_at
    return min(read_at, stamp((gone if gone.tzinfo else gone.replace(tzinfo=UTC)) + STALE))
