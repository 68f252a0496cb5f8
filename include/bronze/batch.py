"""Windows, batches and the six metadata columns: the values every other part of Bronze is made of."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

METADATA_COLUMNS = (
    "RECORD_KEY",
    "RECORD_HASH",
    "DATE_TO_WAREHOUSE",
    "SOURCE_FILE",
    "BATCH_ID",
    "PIPELINE_RUN_ID",
)
PARENT_KEY = "PARENT_KEY"

# No request may span more than this: one vendor caps search windows at 30 days, and both answer such a span quickly.
LONGEST_WINDOW = timedelta(days=30)
# A gap of more cells than this is history: it is read in the longest windows allowed instead of cell by cell.
HISTORY_GAP_CELLS = 7

_COMPACT = "%Y%m%dT%H%M%SZ"
_BATCH_ID = re.compile(
    r"(?P<client>[a-z]{3,4})__(?P<stream>[a-z][a-z0-9_]*?)__(?P<start>\d{8}T\d{6}Z)__(?P<end>\d{8}T\d{6}Z)"
)


def iso(instant: datetime) -> str:
    """An instant as the APIs want it: UTC, whole seconds unless there is a fraction, and a Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def stamp(instant: datetime) -> str:
    """An instant as DATE_TO_WAREHOUSE keeps it: always six digits of fraction, so that text order is time order."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, order=True)
class Window:
    """A half-open stretch of a stream's axis, [start, end), in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"a window needs instants with a zone, got {self.start} and {self.end}")
        if self.start >= self.end:
            raise ValueError(f"a window must end after it starts, got {iso(self.start)} to {iso(self.end)}")

    def asked(self, overlap: timedelta) -> Window:
        """The range to ask the vendor for: the window and a stretch before it that is read again."""
        return Window(self.start - overlap, self.end)

    def __str__(self) -> str:
        return f"[{iso(self.start)}, {iso(self.end)})"


@dataclass(frozen=True)
class Grid:
    """One client's UTC axis, cut every day at the same local time."""

    zone: ZoneInfo
    night: time

    def boundary(self, day: date) -> datetime:
        """The cut of one local day. A time skipped or repeated by a clock change means its first reading."""
        return datetime.combine(day, self.night, tzinfo=self.zone).astimezone(UTC)

    def floor(self, instant: datetime) -> datetime:
        """The last cut at or before an instant."""
        day = instant.astimezone(self.zone).date() + timedelta(days=1)
        while self.boundary(day) > instant:
            day -= timedelta(days=1)
        return self.boundary(day)

    def is_cut(self, instant: datetime) -> bool:
        return self.floor(instant) == instant

    def cells(self, start: datetime, end: datetime) -> list[Window]:
        """Every whole cell between two instants, oldest first; the first begins at the cut at or before the start."""
        day = self.floor(start).astimezone(self.zone).date()
        cuts: list[datetime] = []
        while (cut := self.boundary(day)) <= end:
            cuts.append(cut)
            day += timedelta(days=1)
        return [Window(a, b) for a, b in itertools.pairwise(cuts)]


def uncovered_cells(grid: Grid, start: datetime, end: datetime, covered: Iterable[Window]) -> list[Window]:
    """The cells between two instants that no completed batch covers.

    Only windows that begin and end on a cut count: what a sync loaded in the middle of a day, the night loads again.
    """
    spans = sorted(window for window in covered if grid.is_cut(window.start) and grid.is_cut(window.end))
    merged: list[Window] = []
    for span in spans:
        if merged and span.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return [
        cell
        for cell in grid.cells(start, end)
        if not any(span.start <= cell.start and cell.end <= span.end for span in merged)
    ]


def runs_of(cells: Iterable[Window]) -> Iterator[list[Window]]:
    """Cells that follow each other without a gap, as groups."""
    group: list[Window] = []
    for cell in cells:
        if group and group[-1].end != cell.start:
            yield group
            group = []
        group.append(cell)
    if group:
        yield group


def windows_to_load(cells: Iterable[Window]) -> list[tuple[Window, bool]]:
    """The windows that load the given cells, each with whether it is history.

    A few missed nights are loaded night by night; a long gap is read in runs of cells as long as the longest window.
    """
    planned: list[tuple[Window, bool]] = []
    for run in runs_of(cells):
        if len(run) <= HISTORY_GAP_CELLS:
            planned += [(cell, False) for cell in run]
            continue
        first = run[0]
        for cell, following in zip(run, [*run[1:], None], strict=True):
            if following is None or following.end - first.start > LONGEST_WINDOW:
                planned.append((Window(first.start, cell.end), True))
                first = following or cell
    return planned


def snapshot_window(cells: Iterable[Window]) -> list[tuple[Window, bool]]:
    """The one window of a directory that is always read whole: a past state cannot be asked for any more."""
    listed = list(cells)
    return [(Window(listed[0].start, listed[-1].end), False)] if listed else []


_NAMED = 5


@dataclass(frozen=True)
class Batch:
    """One stream over one window. The id is a pure function of the two, so a rerun is the same batch."""

    client: str
    stream: str
    window: Window

    @property
    def id(self) -> str:
        start, end = (instant.strftime(_COMPACT) for instant in (self.window.start, self.window.end))
        return f"{self.client}__{self.stream}__{start}__{end}"

    @classmethod
    def parse(cls, batch_id: str) -> Batch:
        """The batch an id names."""
        match = _BATCH_ID.fullmatch(batch_id)
        if match is None:
            raise ValueError(
                f"'{batch_id}' is not a batch id; it must read client__stream__start__end, "
                "for example def__pylon_issues__20260104T060000Z__20260105T060000Z"
            )
        start, end = (datetime.strptime(match[part], _COMPACT).replace(tzinfo=UTC) for part in ("start", "end"))
        return cls(match["client"], match["stream"], Window(start, end))

    def nearest(self, others: Iterable[Batch]) -> list[Batch]:
        """Of some batches those that lie nearest to this one, for whoever mistyped it."""
        apart = [other for other in others if other != self]
        return sorted(apart, key=lambda other: abs(other.window.start - self.window.start))[:_NAMED]


def record_hash(record: Mapping[str, bytes], volatile: frozenset[str]) -> str:
    """The fingerprint of a record's content: its fields in order of name, each with the bytes of its value."""
    content = b"".join([b"%b%b\x1e" % (prefix, record[name]) for name, prefix in _hashed(tuple(record), volatile)])
    return hashlib.sha256(content).hexdigest()


# Records of a stream come in few shapes.
@lru_cache(1024)
def _hashed(fields: tuple[str, ...], volatile: frozenset[str]) -> list[tuple[str, bytes]]:
    """The fields of a record that count, in order, each with what its value is preceded by."""
    return [(name, b"%b\x1f" % name.encode()) for name in sorted(fields) if name not in volatile]


def source_file(part_path: str, page: int) -> str:
    """Where a row was read: the part that holds it and the page of the reply it came in."""
    return f"{part_path}#page={page:06d}"
