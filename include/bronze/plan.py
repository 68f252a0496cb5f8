"""Planning: which batches a run must load. Pure: the ledger's windows go in, batches come out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from include.bronze.batch import Batch, Grid, Window, snapshot_window, uncovered_cells, windows_to_load
from include.bronze.streams import Coverage, LoadStrategy, Stream


@dataclass(frozen=True)
class PlannedBatch:
    """A batch to load, and the strategy the ledger will show for it."""

    batch: Batch
    strategy: LoadStrategy


def plan_stream(
    client: str,
    name: str,
    stream: Stream,
    grid: Grid,
    history_from: datetime,
    until: datetime,
    completed: Iterable[Window],
) -> list[PlannedBatch]:
    """Every batch that brings a stream from its start to the last cut before `until`, oldest first."""
    cells = uncovered_cells(grid, history_from, until, completed)
    windows = snapshot_window(cells) if stream.coverage is Coverage.SNAPSHOT else windows_to_load(cells)
    return [
        PlannedBatch(Batch(client, name, window), LoadStrategy.HISTORICAL if history else stream.strategy)
        for window, history in windows
    ]
