"""Where Bronze is kept: one small protocol, an engine behind it, and the lock of the embedded one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from include.bronze.batch import Window
from include.bronze.landing import Attempt, Landing, Manifest


class WarehouseError(RuntimeError):
    """The warehouse could not take a batch in. Nothing of it was changed."""


class HeldError(WarehouseError):
    """A batch would delete more than is plausible. It is landed, and waits for a person."""


@dataclass(frozen=True)
class Loaded:
    """What one load did."""

    batch_id: str
    load_id: str
    rows: int
    rows_before: int
    new_columns: tuple[str, ...]


@dataclass(frozen=True)
class BronzeTable:
    """A stream's table, and what a load needs to know of the stream."""

    name: str
    stream: str
    columns: tuple[str, ...]
    replaces_everything: bool
    is_directory: bool
    is_child: bool
    version_stamp: str | None
    # streams whose records go with a record of this one that is gone
    children: tuple[str, ...] = ()
    # streams whose records this one reports as gone
    buries: tuple[str, ...] = ()
    # the column in which it says when they went
    buried_at: str | None = None


@dataclass(frozen=True)
class Known:
    """The newest that is known of one record."""

    version_stamp: str | None
    read_at: str


@dataclass(frozen=True)
class LedgerRow:
    """One completed batch, as the ledger has it."""

    stream: str
    batch_id: str
    attempt: str
    rows: int
    checksum: str
    window: Window
    strategy: str
    loaded_at: str
    run_id: str


class Warehouse(Protocol):
    """One client's Bronze schema."""

    def completed(self, stream: str) -> list[Window]:
        """The windows of a stream that are loaded whole."""

    def prepare(self, target: BronzeTable) -> None:
        """Create the ledger and a table with the columns its stream declares, where they are missing."""

    def load(self, target: BronzeTable, manifest: Manifest, landing: Landing, run_id: str) -> Loaded:
        """Replace one batch by what an attempt landed: all of it, with its ledger rows, or nothing."""

    def known(self, target: BronzeTable) -> dict[str, Known]:
        """The newest of what is known of every record of a table that is not reported as gone since."""

    def ledger(self) -> list[LedgerRow]:
        """Every completed batch."""

    def record_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Write what became of attempts into the ledger, in place of what it said of them before."""

    def counts(self, target: BronzeTable, batch_ids: Collection[str] | None = None) -> dict[str, int]:
        """How many rows of each batch, or of some, the table holds."""

    def close(self) -> None:
        """Let go of the engine."""
