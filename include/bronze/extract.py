"""Extraction: from a source's pages to one complete attempt in landing."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec

from include.bronze.batch import METADATA_COLUMNS, Batch, record_hash, source_file, stamp
from include.bronze.landing import CoveredScope, Landing, Manifest, Part
from include.bronze.plan import PlannedBatch
from include.bronze.sources import pylon
from include.bronze.sources.http import Api, Page, SourceError
from include.bronze.streams import Coverage, Stream

log = logging.getLogger(__name__)

# A part is closed at this many rows or bytes of text, so that memory stays flat whatever the size of a window.
PART_ROWS = 20_000
PART_BYTES = 64 * 1024 * 1024

READERS: dict[str, Callable[..., Iterator[Page]]] = {"pylon": pylon.read}

_NOT_NAME = re.compile(r"[^A-Z0-9_]")
_decode_text = msgspec.json.Decoder(str).decode


def column_name(field: str) -> str:
    """A field's Bronze column: upper case, and an underscore for whatever no identifier may hold."""
    name = _NOT_NAME.sub("_", field.upper())
    return f"_{name}" if name[:1].isdigit() or not name else name


def text_of(raw: bytes) -> str | None:
    """A JSON value as Bronze keeps it: strings decoded, null as NULL, everything else in the reply's own text."""
    if raw[:1] == b'"':
        return _decode_text(raw) if b"\\" in raw else raw[1:-1].decode()
    return None if raw == b"null" else raw.decode()


class PartWriter:
    """Collects rows into parts. Columns nobody declared are kept, and named when the attempt is complete."""

    def __init__(self, landing: Landing, folder: str, stream: Stream, batch_id: str, run_id: str) -> None:
        self._landing, self._folder, self._stream = landing, folder, stream
        self._batch_id, self._run_id = batch_id, run_id
        self._column_of = {field: column_name(field) for field in stream.fields}
        self.parts: list[Part] = []
        self.rows = 0
        self.new_columns: list[str] = []
        self._begin_part()

    def _begin_part(self) -> None:
        self._columns: dict[str, list[str | None]] = {name: [] for name in self._column_of.values()}
        self._columns |= {name: [] for name in METADATA_COLUMNS}
        self._filled = self._bytes = 0
        self._path = self._landing.part_path(self._folder, len(self.parts) + 1)

    def add_page(self, page: Page) -> None:
        """Take in every record of a page."""
        read_at = stamp(page.reply.read_at)
        where = source_file(self._path, page.number)
        key_field, volatile = self._stream.record_key, self._stream.volatile
        for record in page.records:
            values = {name: bytes(raw) for name, raw in record.items()}
            key = text_of(values.get(key_field, b"null"))
            if not key:
                raise SourceError(
                    f"{self._stream.system} {self._stream.object}: page {page.number} holds a record without "
                    f"'{key_field}', which is its key (request {page.reply.request_id})"
                )
            for name in values:
                if name not in self._column_of:
                    self._add_column(name)
            self._bytes += sum(map(len, values.values()))
            for name, column in self._column_of.items():
                raw = values.get(name)
                self._columns[column].append(None if raw is None else text_of(raw))
            row = (key, record_hash(values, volatile), read_at, where, self._batch_id, self._run_id)
            for column, value in zip(METADATA_COLUMNS, row, strict=True):
                self._columns[column].append(value)
            self._filled += 1
        if self._filled >= PART_ROWS or self._bytes >= PART_BYTES:
            self.close_part()

    def _add_column(self, field: str) -> None:
        column = column_name(field)
        if column in self._column_of.values() or column in METADATA_COLUMNS:
            raise SourceError(
                f"{self._stream.system} {self._stream.object}: the new field '{field}' would become column {column}, "
                "which is taken; declare the field in include/bronze/streams.py under another name"
            )
        self._column_of[field] = column
        self._columns[column] = [None] * self._filled
        self.new_columns.append(column)

    def close_part(self) -> None:
        """Write what is collected."""
        if self._filled:
            self.parts.append(self._landing.write_part(self._path, self._columns))
            self.rows += self._filled
            self._begin_part()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self._column_of.values(), *METADATA_COLUMNS)


def extract(
    planned: PlannedBatch,
    stream: Stream,
    api: Api,
    landing: Landing,
    *,
    overlap: timedelta,
    run_id: str,
    progress: Callable[[str], None] = log.info,
) -> Manifest:
    """Read one batch whole into a new attempt. Raises, and leaves nothing complete, if any page cannot be had."""
    batch: Batch = planned.batch
    asked = batch.window.asked(overlap) if stream.window_field else batch.window
    started: datetime = api.reading_clock()
    folder = landing.new_attempt(batch, started)
    writer = PartWriter(landing, folder, stream, batch.id, run_id)
    request_ids: list[str] = []
    pages = 0
    for page in READERS[stream.system](api, stream, asked):
        writer.add_page(page)
        pages = page.number
        request_ids.append(page.reply.request_id)
        progress(
            f"{batch.id}: page {page.number}, {len(page.records)} rows, request {page.reply.request_id}, "
            f"{page.reply.remaining or 'unknown'} calls left this minute"
        )
    writer.close_part()
    for column in writer.new_columns:
        log.warning("%s: the vendor now sends %s; it becomes a new Bronze column", batch.id, column)
    coverage = (CoveredScope("*", "complete", started, writer.rows),) if stream.coverage is Coverage.SNAPSHOT else ()
    manifest = Manifest(
        client=batch.client,
        stream=batch.stream,
        batch_id=batch.id,
        attempt=folder.rsplit("/", 1)[1],
        strategy=planned.strategy.value,
        window_start=batch.window.start,
        window_end=batch.window.end,
        asked_from=asked.start,
        asked_to=asked.end,
        started_at=started,
        ended_at=api.reading_clock(),
        pipeline_run_id=run_id,
        rows=writer.rows,
        pages=pages,
        columns=writer.columns,
        parts=tuple(writer.parts),
        coverage=coverage,
        request_ids=tuple(request_ids),
    )
    landing.complete(folder, manifest)
    return manifest
