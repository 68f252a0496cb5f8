"""Where Bronze is kept: one small protocol, an engine behind it, and the lock of the embedded one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from include.bronze.batch import Window
from include.bronze.landing import Landing, Manifest


class WarehouseError(RuntimeError):
    """The warehouse could not take a batch in. Nothing of it was changed."""


@dataclass(frozen=True)
class Loaded:
    """What one load did."""

    batch_id: str
    load_id: str
    rows: int
    rows_before: int
    new_columns: tuple[str, ...]


class Warehouse(Protocol):
    """One client's Bronze schema."""

    def completed(self, stream: str) -> list[Window]:
        """The windows of a stream that are loaded whole."""

    def prepare(self, table: str, columns: Sequence[str]) -> None:
        """Create the ledger and a table with the columns its stream declares, where they are missing."""

    def load(self, table: str, columns: Sequence[str], manifest: Manifest, landing: Landing, run_id: str) -> Loaded:
        """Replace one batch by what an attempt landed: all of it, with its ledger rows, or nothing."""

    def close(self) -> None:
        """Let go of the engine."""
