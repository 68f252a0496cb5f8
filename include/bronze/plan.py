"""Planning: which batches a run must load. Pure: the ledger's windows go in, batches come out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from include.bronze.batch import Batch, Grid, Window, snapshot_window, uncovered_cells, windows_to_load
from include.bronze.streams import DROPPED, LoadStrategy, Stream


def sync_window(grid: Grid, history_from: datetime, until: datetime, completed: Iterable[Window]) -> Window | None:
    """What a sync in the middle of a day reads: from the end of what is covered up to now. None if that is nothing.

    Several syncs of a day follow each other without a gap. None of them covers a cell: the night reads it again.
    """
    windows = list(completed)
    missing = uncovered_cells(grid, history_from, until, windows)
    reached = missing[0].start if missing else grid.floor(until)
    ends = {window.start: window.end for window in sorted(windows) if not grid.is_cut(window.end)}
    while reached in ends:
        reached = ends[reached]
    return Window(reached, until) if reached < until else None


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
    if stream.strategy in (LoadStrategy.FULL_REFRESH, LoadStrategy.TRUNCATE_INSERT):
        # Each load replaces the whole table, so its one batch always stands for everything up to the last cut.
        windows = snapshot_window(grid.cells(history_from, until)) if cells else []
    elif stream.is_read_as_now:
        windows = snapshot_window(cells)
    elif stream.system == DROPPED:
        windows = [(cell, False) for cell in cells]  # a file is a day's
    else:
        windows = windows_to_load(cells)
    return [
        PlannedBatch(Batch(client, name, window), LoadStrategy.HISTORICAL if history else stream.strategy)
        for window, history in windows
    ]
