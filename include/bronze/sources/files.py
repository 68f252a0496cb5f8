"""Files that other departments drop: CSV, NDJSON or Parquet, on any path fsspec can read.

A stream's files lie in one folder and begin with its name: `roster.csv`, `qa_reviews_2026-01-04.ndjson`. A file with a
date in its name belongs to the cell of that local day; of files without a date the last by name is the whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import fsspec
import msgspec

from include.bronze.batch import Grid, Window
from include.bronze.sources.http import Page, Reply, SourceError
from include.bronze.streams import Coverage, Stream

FORMATS = ("csv", "ndjson", "parquet")
PAGE_ROWS = 10_000

_encode = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class MissingFileError(SourceError):
    """The file of a day has not been dropped yet. Its cell stays open and is planned again."""


class DropFolder:
    """The folder of one stream."""

    def __init__(self, url: str, grid: Grid, reading_clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(url)
        self._grid = grid
        self._reading_clock = reading_clock
        self._listed: list[str] | None = None

    def preflight(self, _streams: Sequence[Stream]) -> str:
        """Say which folder it is. A folder that is not there is one into which nothing was dropped yet."""
        return f"drop folder {self._root}"

    def pages(self, stream: Stream, asked: Window, parent: str | None = None) -> Iterator[Page]:
        """The rows of the file that belongs to a window."""
        assert parent is None
        path = self._file(stream, asked)
        content: bytes = self._fs.cat_file(path)
        name = path.rsplit("/", 1)[1]
        reply = Reply(content, 200, f"{name}@{hashlib.sha256(content).hexdigest()[:16]}", self._reading_clock(), None)
        try:
            rows = list(_READERS[path.rsplit(".", 1)[1]](content))
        except (ValueError, OSError) as error:
            raise SourceError(f"{path} cannot be read: {' '.join(str(error).split())}; drop it again") from error
        for begin in range(0, max(len(rows), 1), PAGE_ROWS):
            yield Page(rows[begin : begin + PAGE_ROWS], reply)

    def find(self, stream: Stream, key: str) -> Page | None:
        """Files hold no single records to look for."""
        raise NotImplementedError(f"{stream.object} {key}: a file is read whole")

    def has_file(self, stream: Stream, asked: Window) -> bool:
        """Whether the file of a window has come."""
        try:
            self._file(stream, asked)
        except MissingFileError:
            return False
        return True

    def fingerprint(self, stream: Stream, asked: Window) -> str | None:
        """What a landed page of the window's file would be known by today, None if there is no file."""
        try:
            path = self._file(stream, asked)
        except MissingFileError:
            return None
        return f"{path.rsplit('/', 1)[1]}@{hashlib.sha256(self._fs.cat_file(path)).hexdigest()[:16]}"

    def _file(self, stream: Stream, asked: Window) -> str:
        found = self._files(stream)
        if stream.coverage is Coverage.SNAPSHOT:
            whole = [path for path, day in found if day is None]
            if not whole:
                raise MissingFileError(f"no file {stream.request}.({'|'.join(FORMATS)}) lies in {self._root}")
            return whole[-1]
        day = asked.start.astimezone(self._grid.zone).date()
        dated = [path for path, of in found if of == day]
        if not dated:
            raise MissingFileError(f"no file {stream.request}_{day}.({'|'.join(FORMATS)}) lies in {self._root} yet")
        return dated[-1]

    def _files(self, stream: Stream) -> list[tuple[str, date | None]]:
        pattern = re.compile(
            rf"{re.escape(stream.request)}(?:[_-](?P<day>\d{{4}}-\d{{2}}-\d{{2}}))?\.({'|'.join(FORMATS)})"
        )
        files: list[tuple[str, date | None]] = []
        if self._listed is None:
            there = self._fs.ls(self._root, detail=False) if self._fs.isdir(self._root) else []
            self._listed = sorted(str(path) for path in there)
        for path in self._listed:
            match = pattern.fullmatch(path.rsplit("/", 1)[1])
            if match:
                files.append((path, date.fromisoformat(match["day"]) if match["day"] else None))
        return files


def _csv(content: bytes) -> Iterator[dict[str, msgspec.Raw]]:
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"line {reader.line_num} has another number of columns than the header")
        yield {name: msgspec.Raw(_encode(value)) for name, value in row.items()}


def _ndjson(content: bytes) -> Iterator[dict[str, msgspec.Raw]]:
    for line in content.splitlines():
        if line.strip():
            yield _decode_line(line)


def _parquet(content: bytes) -> Iterator[dict[str, msgspec.Raw]]:
    import pyarrow.parquet as pq

    for row in pq.read_table(io.BytesIO(content)).to_pylist():
        yield {name: msgspec.Raw(_encode(_plain(value))) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """A value of a typed file as its text, so that Bronze holds what the file says and not how it stored it."""
    return value if value is None or isinstance(value, (bool, int, float, str, list, dict)) else str(value)


_READERS: dict[str, Callable[[bytes], Iterator[dict[str, msgspec.Raw]]]] = {
    "csv": _csv,
    "ndjson": _ndjson,
    "parquet": _parquet,
}
