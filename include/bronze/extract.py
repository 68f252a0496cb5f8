"""Extraction: from a source's pages to one complete attempt in landing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from include.bronze.batch import METADATA_COLUMNS, PARENT_KEY, Batch, Window, record_hash, source_file, stamp
from include.bronze.landing import Attempt, Checkpoint, CoveredScope, Landing, Manifest, Outcome, Part
from include.bronze.plan import PlannedBatch
from include.bronze.sources.http import GoneError, Page, SourceError
from include.bronze.streams import Coverage, Stream, column_name

log = logging.getLogger(__name__)

# A part is closed at this many rows or bytes of text, so that memory stays flat whatever the size of a window, and at
# this many parents, so that a scan of thousands that is cut off goes on near where it was.
PART_ROWS = 20_000
PART_BYTES = 64 * 1024 * 1024
PART_PARENTS = 200
# An attempt that was cut off longer ago than this is not continued: its first parents are old by now.
RESUME_WITHIN = timedelta(hours=24)
# What is kept of the reason an attempt failed for.
LONGEST_ERROR = 500

_QUOTE = ord('"')
_decode_text = msgspec.json.Decoder(str).decode


class Source(Protocol):
    """What an extraction needs of a system."""

    def preflight(self, streams: Sequence[Stream]) -> str:
        """Check that the streams can be read, and say who answered."""

    def pages(self, stream: Stream, asked: Window, parent: str | None = None) -> Iterator[Page]:
        """Every page of a stream over the range asked, or of the children of one parent."""

    def find(self, stream: Stream, key: str) -> Page | None:
        """One record by its key, None if it is gone."""


def text_of(raw: bytes) -> str | None:
    """A JSON value as Bronze keeps it: strings decoded, null as NULL, everything else in the reply's own text."""
    if raw[0] == _QUOTE:
        return _decode_text(raw) if b"\\" in raw else raw[1:-1].decode()
    return None if raw == b"null" else raw.decode()


class PartWriter:
    """Collects rows into parts. Columns nobody declared are kept, and named when the attempt is complete."""

    def __init__(self, landing: Landing, folder: str, stream: Stream, batch_id: str, run_id: str) -> None:
        self._landing, self._folder, self._stream = landing, folder, stream
        self._batch_id, self._run_id = batch_id, run_id
        self._column_of = dict(zip(stream.fields, stream.columns, strict=True))
        self.parts: list[Part] = []
        self.new_fields: list[str] = []
        self._begin_part()

    def resume(self, parts: Iterable[Part], new_fields: Iterable[str]) -> None:
        """Go on after the parts of an attempt that was cut off, which had these undeclared fields."""
        self.parts = list(parts)
        for name in new_fields:
            self._add_column(name)
        self._begin_part()

    def _begin_part(self) -> None:
        self._columns: dict[str, list[str | None]] = {name: [] for name in self._column_of.values()}
        self._columns |= {name: [] for name in self._stream.metadata}
        self._filled = self._bytes = 0
        self._path = self._landing.part_path(self._folder, len(self.parts) + 1)

    @property
    def rows(self) -> int:
        """How many rows were taken in, written or not."""
        return sum(part.rows for part in self.parts) + self._filled

    @property
    def is_full(self) -> bool:
        return self._filled >= PART_ROWS or self._bytes >= PART_BYTES

    def add_page(self, number: int, page: Page, parent: str | None = None) -> None:
        """Take in every record of an attempt's page."""
        volatile, declared_only = self._stream.volatile, self._stream.only_declared
        known, columns = self._column_of.keys(), self._targets()
        keys, hashes = (self._columns[name] for name in ("RECORD_KEY", "RECORD_HASH"))
        for record in page.records:
            values = {name: bytes(raw) for name, raw in record.items() if not declared_only or name in known}
            keys.append(self._key(values, number, page))
            hashes.append(record_hash(values, volatile))
            if not values.keys() <= known:
                for name in [name for name in values if name not in known]:
                    self._add_column(name)
                columns = self._targets()
            self._bytes += sum(map(len, values.values()))
            for name, append in columns:
                raw = values.get(name)
                append(None if raw is None else text_of(raw))
            self._filled += 1
        same = {
            "DATE_TO_WAREHOUSE": stamp(page.reply.read_at),
            "SOURCE_FILE": source_file(self._path, number),
            "BATCH_ID": self._batch_id,
            "PIPELINE_RUN_ID": self._run_id,
        } | ({PARENT_KEY: parent} if PARENT_KEY in self._columns else {})
        for column, value in same.items():
            self._columns[column] += [value] * len(page.records)

    def _targets(self) -> list[tuple[str, Callable[[str | None], None]]]:
        """Every field so far, with what takes its values in."""
        return [(name, self._columns[column].append) for name, column in self._column_of.items()]

    def _key(self, values: dict[str, bytes], number: int, page: Page) -> str:
        parts = [text_of(values.get(name, b"null")) or "" for name in self._stream.key_fields]
        if "" in parts:
            raise SourceError(
                f"{self._stream.system} {self._stream.object}: page {number} holds a record without "
                f"'{self._stream.record_key}', which is its key (request {page.reply.request_id})"
            )
        return "|".join(parts)

    def _add_column(self, name: str) -> None:
        column = column_name(name)
        if column in self._column_of.values() or column in (*METADATA_COLUMNS, PARENT_KEY):
            raise SourceError(
                f"{self._stream.system} {self._stream.object}: the new field '{name}' would become column {column}, "
                "which is taken; declare the field in include/bronze/streams.py under another name"
            )
        self._column_of[name] = column
        self._columns[column] = [None] * self._filled
        self.new_fields.append(name)

    def close_part(self) -> Part | None:
        """Write what is collected."""
        if not self._filled:
            return None
        part = self._landing.write_part(self._path, self._columns)
        self.parts.append(part)
        self._begin_part()
        return part

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self._column_of.values(), *self._stream.metadata)


def never_back(clock: Callable[[], datetime]) -> Callable[[], datetime]:
    """A clock, later with each reading even where it is set back meanwhile.

    What was read after somebody looked must be stamped after the look: a row from before it counts as deleted.
    """
    latest = datetime.min.replace(tzinfo=UTC)

    def read() -> datetime:
        nonlocal latest
        latest = max(clock(), latest + timedelta(microseconds=1))
        return latest

    return read


@dataclass
class _Attempt:
    """What one extraction has done so far."""

    folder: str
    started: datetime
    writer: PartWriter
    coverage: list[CoveredScope] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    pages: int = 0
    checkpoints: int = 0

    @property
    def name(self) -> str:
        return self.folder.rsplit("/", 1)[1]


@dataclass(frozen=True)
class Extraction:
    """How one stream is read: from which source into which landing, and what to say on the way."""

    stream: Stream
    source: Source
    landing: Landing
    run_id: str
    overlap: timedelta
    reading_clock: Callable[[], datetime]
    progress: Callable[[str], None] = log.info

    def extract(self, planned: PlannedBatch, parents: Sequence[str] | None = None) -> Manifest:
        """Read one batch whole into an attempt. Raises, and leaves nothing complete, if any page cannot be had."""
        batch = planned.batch
        asked = batch.window.asked(self.overlap) if self.stream.window_fields else batch.window
        if self.stream.coverage is Coverage.PARENT:
            assert parents is not None
            attempt = self._resume(batch) or self._begin(batch)
            with self._noted(batch, attempt):
                self._read_parents(batch, attempt, asked, parents)
                return self._complete(planned, attempt, asked)
        attempt = self._begin(batch)
        with self._noted(batch, attempt):
            self._read_window(batch, attempt, asked)
            return self._complete(planned, attempt, asked)

    def look_up(self, planned: PlannedBatch, keys: Sequence[str]) -> Manifest:
        """Ask for records one by one: what is there is delivered, what is not is known to be gone."""
        attempt = self._begin(planned.batch)
        with self._noted(planned.batch, attempt):
            for key in keys:
                observed = self.reading_clock()
                page = self.source.find(self.stream, key)
                if page is None:
                    attempt.coverage.append(CoveredScope(key, "gone", observed, 0))
                else:
                    self._take(planned.batch, attempt, page)
            return self._complete(planned, attempt, planned.batch.window)

    @contextmanager
    def _noted(self, batch: Batch, attempt: _Attempt) -> Iterator[None]:
        """Leave a note in landing that an attempt began, and why it failed if it does; a manifest says the rest."""
        self._note(batch, attempt, Outcome.RUNNING)
        try:
            yield
        except Exception as error:
            # The disk the note would go to may be the very reason.
            with suppress(OSError):
                self._note(batch, attempt, Outcome.FAILED, " ".join(str(error).split())[:LONGEST_ERROR])
            raise

    def _note(self, batch: Batch, attempt: _Attempt, outcome: Outcome, error: str | None = None) -> None:
        noted = Attempt(
            batch.stream,
            batch.id,
            attempt.name,
            outcome,
            attempt.started,
            self.run_id,
            None if outcome is Outcome.RUNNING else self.reading_clock(),
            attempt.writer.rows,
            attempt.pages,
            error,
        )
        self.landing.note(attempt.folder, noted)

    def _begin(self, batch: Batch) -> _Attempt:
        started = self.reading_clock()
        folder = self.landing.new_attempt(batch, started)
        return _Attempt(folder, started, PartWriter(self.landing, folder, self.stream, batch.id, self.run_id))

    def _resume(self, batch: Batch) -> _Attempt | None:
        """The newest attempt that was cut off not long ago, with what it had done."""
        cut_off = self.landing.cut_off(batch)
        if cut_off is None:
            return None
        folder, checkpoints = cut_off
        started = checkpoints[0].started_at
        if self.reading_clock() - started > RESUME_WITHIN:
            return None
        attempt = _Attempt(folder, started, PartWriter(self.landing, folder, self.stream, batch.id, self.run_id))
        attempt.writer.resume(
            (point.part for point in checkpoints if point.part is not None),
            dict.fromkeys(name for point in checkpoints for name in point.new_fields),
        )
        attempt.coverage = [scope for point in checkpoints for scope in point.coverage]
        attempt.request_ids = [request for point in checkpoints for request in point.request_ids]
        attempt.pages = sum(point.pages for point in checkpoints)
        attempt.checkpoints = len(checkpoints)
        self.progress(f"{batch.id}: goes on after {len(attempt.coverage)} parents that were read before")
        return attempt

    def _read_window(self, batch: Batch, attempt: _Attempt, asked: Window) -> None:
        for page in self.source.pages(self.stream, asked):
            self._take(batch, attempt, page)
            if attempt.writer.is_full:
                attempt.writer.close_part()
        if self.stream.coverage is Coverage.SNAPSHOT:
            attempt.coverage.append(CoveredScope("*", "complete", attempt.started, attempt.writer.rows))

    def _read_parents(self, batch: Batch, attempt: _Attempt, asked: Window, parents: Sequence[str]) -> None:
        done = {scope.scope for scope in attempt.coverage}
        waiting = [parent for parent in parents if parent not in done]
        begun = time.monotonic()
        since = _Mark.of(attempt)
        for number, parent in enumerate(waiting, 1):
            attempt.coverage.append(self._read_parent(batch, attempt, asked, parent))
            if number % PART_PARENTS == 0 or attempt.writer.is_full:
                since = self._checkpoint(attempt, since)
                rate = number / max(time.monotonic() - begun, 0.001)
                left = (len(waiting) - number) / rate
                self.progress(f"{batch.id}: {number} of {len(waiting)} parents, {rate:.1f}/s, about {left:.0f} s left")

    def _read_parent(self, batch: Batch, attempt: _Attempt, asked: Window, parent: str) -> CoveredScope:
        observed = self.reading_clock()
        rows = 0
        try:
            for page in self.source.pages(self.stream, asked, parent):
                self._take(batch, attempt, page, parent)
                rows += len(page.records)
        except GoneError:
            return CoveredScope(parent, "gone", observed, rows)
        return CoveredScope(parent, "complete", observed, rows)

    def _take(self, batch: Batch, attempt: _Attempt, page: Page, parent: str | None = None) -> None:
        attempt.pages += 1
        attempt.request_ids.append(page.reply.request_id)
        attempt.writer.add_page(attempt.pages, page, parent)
        message = (
            f"{batch.id}: page {attempt.pages}, {len(page.records)} rows, "
            f"request {page.reply.request_id or 'without an id'}, "
            f"{page.reply.remaining or 'unknown'} calls left this minute"
        )
        (log.debug if parent else self.progress)(message)

    def _checkpoint(self, attempt: _Attempt, since: _Mark) -> _Mark:
        part = attempt.writer.close_part()
        attempt.checkpoints += 1
        point = Checkpoint(
            attempt.started,
            part,
            tuple(attempt.coverage[since.coverage :]),
            attempt.pages - since.pages,
            tuple(attempt.request_ids[since.request_ids :]),
            tuple(attempt.writer.new_fields[since.new_fields :]),
        )
        self.landing.write_checkpoint(attempt.folder, attempt.checkpoints, point)
        return _Mark.of(attempt)

    def _complete(self, planned: PlannedBatch, attempt: _Attempt, asked: Window) -> Manifest:
        attempt.writer.close_part()
        for name in attempt.writer.new_fields:
            log.warning("%s: the vendor now sends '%s'; it becomes a new Bronze column", planned.batch.id, name)
        manifest = Manifest(
            client=planned.batch.client,
            stream=planned.batch.stream,
            batch_id=planned.batch.id,
            attempt=attempt.name,
            strategy=planned.strategy.value,
            window_start=planned.batch.window.start,
            window_end=planned.batch.window.end,
            asked_from=asked.start,
            asked_to=asked.end,
            started_at=attempt.started,
            ended_at=self.reading_clock(),
            pipeline_run_id=self.run_id,
            rows=attempt.writer.rows,
            pages=attempt.pages,
            columns=attempt.writer.columns,
            parts=tuple(attempt.writer.parts),
            coverage=tuple(attempt.coverage),
            request_ids=tuple(attempt.request_ids),
        )
        self.landing.complete(attempt.folder, manifest)
        return manifest


@dataclass(frozen=True)
class _Mark:
    """How far an attempt was at its last checkpoint."""

    coverage: int
    pages: int
    request_ids: int
    new_fields: int

    @classmethod
    def of(cls, attempt: _Attempt) -> _Mark:
        return cls(len(attempt.coverage), attempt.pages, len(attempt.request_ids), len(attempt.writer.new_fields))
