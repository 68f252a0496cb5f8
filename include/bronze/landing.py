"""Landing: Parquet parts and the manifest that makes an attempt complete, on any path fsspec can write.

    {client}/{stream}/{batch id}/{attempt}/part-00001.parquet
    {client}/{stream}/{batch id}/{attempt}/attempt.json       that it began, and why it failed if it did
    {client}/{stream}/{batch id}/{attempt}/manifest.json      written last

Attempts lie side by side and nothing landed is ever overwritten. An attempt without a manifest was cut off, and is
never read.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

import fsspec
import msgspec

from include.bronze.batch import Batch, Window

MANIFEST = "manifest.json"
ATTEMPT = "attempt.json"
APPROVED = "approved.json"


# How the name of an attempt begins: when it began, so that names sort by time.
_BEGAN = "%Y%m%dT%H%M%S%fZ"


class LandingError(RuntimeError):
    """Something landed cannot be read as it was written."""


class Outcome(StrEnum):
    """How an attempt ended, or that it did not."""

    COMPLETE = "complete"
    FAILED = "failed"
    RUNNING = "running"
    CUT_OFF = "cut_off"


@dataclass(frozen=True)
class Attempt:
    """One try at a batch, however it ended."""

    stream: str
    batch_id: str
    name: str
    outcome: Outcome
    started_at: datetime
    pipeline_run_id: str
    ended_at: datetime | None = None
    rows: int = 0
    pages: int = 0
    error: str | None = None


@dataclass(frozen=True)
class Part:
    """One Parquet file of an attempt, by its path below the landing root."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class CoveredScope:
    """What a reply proved: this scope was read whole, or is gone, as of this instant."""

    scope: str
    outcome: str
    observed_at: datetime
    rows: int


@dataclass(frozen=True)
class Checkpoint:
    """What a scan of many parents had done when it closed a part: enough to go on from there."""

    started_at: datetime
    part: Part | None
    coverage: tuple[CoveredScope, ...]
    pages: int
    request_ids: tuple[str, ...]
    new_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """All that is known about one complete attempt at one batch."""

    client: str
    stream: str
    batch_id: str
    attempt: str
    strategy: str
    window_start: datetime
    window_end: datetime
    asked_from: datetime
    asked_to: datetime
    started_at: datetime
    ended_at: datetime
    pipeline_run_id: str
    rows: int
    pages: int
    columns: tuple[str, ...]
    parts: tuple[Part, ...]
    coverage: tuple[CoveredScope, ...]
    request_ids: tuple[str, ...] = field(default=())

    @property
    def batch(self) -> Batch:
        return Batch(self.client, self.stream, Window(self.window_start, self.window_end))

    @property
    def tried(self) -> Attempt:
        return Attempt(
            self.stream,
            self.batch_id,
            self.attempt,
            Outcome.COMPLETE,
            self.started_at,
            self.pipeline_run_id,
            self.ended_at,
            self.rows,
            self.pages,
        )

    @property
    def checksum(self) -> str:
        """The fingerprint of everything landed: equal for two attempts only if their parts are."""
        return hashlib.sha256("".join(part.sha256 for part in self.parts).encode()).hexdigest()


def began(attempt_folder: str) -> datetime:
    """When an attempt began, by its name."""
    return datetime.strptime(attempt_folder.rsplit("/", 1)[1].split("-", 1)[0], _BEGAN).replace(tzinfo=UTC)


class Landing:
    """A folder of attempts."""

    def __init__(self, url: str) -> None:
        self._fs, root = fsspec.core.url_to_fs(url)
        self.root = str(root).rstrip("/")
        self.is_local = "file" in self._fs.protocol

    def new_attempt(self, batch: Batch, at: datetime) -> str:
        """The folder of a new attempt, relative to the root. Its name sorts by time."""
        name = f"{at.astimezone(UTC).strftime(_BEGAN)}-{secrets.token_hex(3)}"
        return str(PurePosixPath(batch.client, batch.stream, batch.id, name))

    def note(self, attempt_folder: str, attempt: Attempt) -> None:
        """Note what has become of an attempt so far."""
        self._write(f"{attempt_folder}/{ATTEMPT}", msgspec.json.encode(attempt))

    def tried(self, batch: Batch) -> list[Attempt]:
        """Every attempt at a batch, complete or not, oldest first."""
        tried = []
        for folder in self.folders(batch):
            if self.is_complete(folder):
                tried.append(self._read_manifest(self.full_path(f"{folder}/{MANIFEST}")).tried)
            elif noted := self.read(f"{folder}/{ATTEMPT}"):
                tried.append(msgspec.json.decode(noted, type=Attempt))
        return tried

    def folders(self, batch: Batch) -> list[str]:
        """The folders of every attempt at a batch, complete or not, oldest first."""
        folder = self.full_path(str(PurePosixPath(batch.client, batch.stream, batch.id)))
        if not self._fs.isdir(folder):
            return []
        found = sorted(str(path).rstrip("/") for path in self._fs.ls(folder, detail=False))
        return [path.removeprefix(f"{self.root}/") for path in found]

    def is_complete(self, attempt_folder: str) -> bool:
        return bool(self._fs.exists(self.full_path(f"{attempt_folder}/{MANIFEST}")))

    def remove(self, attempt_folder: str) -> int:
        """Remove an attempt, its manifest first, so that what a kill leaves is never read. Says how many bytes."""
        size = self.size(attempt_folder)
        if self.is_complete(attempt_folder):
            self._fs.rm(self.full_path(f"{attempt_folder}/{MANIFEST}"))
        self._fs.rm(self.full_path(attempt_folder), recursive=True)
        return size

    def size(self, attempt_folder: str) -> int:
        """The bytes that an attempt takes."""
        return int(self._fs.du(self.full_path(attempt_folder)))

    def full_path(self, relative: str) -> str:
        return f"{self.root}/{relative}"

    def part_path(self, attempt_folder: str, number: int) -> str:
        return f"{attempt_folder}/part-{number:05d}.parquet"

    def write_part(self, path: str, columns: Mapping[str, Sequence[str | None]]) -> Part:
        """Write one part. Every column is text."""
        # Imported where it is needed: a DAG file imports this module whenever it is parsed, which is before every task.
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([(name, pa.string()) for name in columns])
        table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}, schema=schema)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", compression_level=1)
        content = sink.getvalue()
        self._write(path, content)
        return Part(path, table.num_rows, content.size, hashlib.sha256(content).hexdigest())

    def complete(self, attempt_folder: str, manifest: Manifest) -> None:
        """Make an attempt complete."""
        self._write(f"{attempt_folder}/{MANIFEST}", msgspec.json.format(msgspec.json.encode(manifest)))

    def attempts(self, batch: Batch) -> list[Manifest]:
        """The complete attempts at a batch, oldest first."""
        folder = self.full_path(str(PurePosixPath(batch.client, batch.stream, batch.id)))
        found = sorted(self._fs.glob(f"{folder}/*/{MANIFEST}"))
        return [self._read_manifest(str(path)) for path in found]

    def approve(self, manifest: Manifest) -> None:
        """Let an attempt be applied although it deletes more than is plausible."""
        self._write(f"{self._folder_of(manifest)}/{APPROVED}", b"{}")

    def is_approved(self, manifest: Manifest) -> bool:
        return bool(self._fs.exists(self.full_path(f"{self._folder_of(manifest)}/{APPROVED}")))

    @staticmethod
    def _folder_of(manifest: Manifest) -> str:
        return str(PurePosixPath(manifest.client, manifest.stream, manifest.batch_id, manifest.attempt))

    def write_checkpoint(self, attempt_folder: str, number: int, checkpoint: Checkpoint) -> None:
        """Note how far a scan is."""
        self._write(f"{attempt_folder}/checkpoint-{number:05d}.json", msgspec.json.encode(checkpoint))

    def cut_off(self, batch: Batch) -> tuple[str, list[Checkpoint]] | None:
        """The newest attempt at a batch, if it was cut off after a checkpoint: its folder and what it had done."""
        newest = next(reversed(self.folders(batch)), None)
        if newest is None or self.is_complete(newest):
            return None
        points = [
            msgspec.json.decode(self._fs.cat_file(path), type=Checkpoint)
            for path in sorted(self._fs.glob(self.full_path(f"{newest}/checkpoint-*.json")))
        ]
        return (newest, points) if points else None

    def batches(self, client: str, stream: str) -> list[Batch]:
        """Every batch of a stream that has been tried, complete or not, in order of its window."""
        folder = self.full_path(str(PurePosixPath(client, stream)))
        if not self._fs.isdir(folder):
            return []
        found = [Batch.parse(str(path).rstrip("/").rsplit("/", 1)[1]) for path in self._fs.ls(folder, detail=False)]
        return sorted(found, key=lambda batch: batch.window)

    def keys(self, manifest: Manifest) -> list[str]:
        """The record keys of an attempt, each once, in the order they were delivered."""
        import pyarrow.parquet as pq

        keys: dict[str, None] = {}
        for part in manifest.parts:
            with self._fs.open(self.full_path(part.path), "rb") as file:
                keys |= dict.fromkeys(pq.read_table(file, columns=["RECORD_KEY"])["RECORD_KEY"].to_pylist())
        return list(keys)

    def versions(self, manifest: Manifest, column: str) -> dict[str, str | None]:
        """One column of an attempt by record key."""
        import pyarrow.parquet as pq

        values: dict[str, str | None] = {}
        for part in manifest.parts:
            with self._fs.open(self.full_path(part.path), "rb") as file:
                table = pq.read_table(file, columns=["RECORD_KEY", column])
            values |= dict(zip(table["RECORD_KEY"].to_pylist(), table[column].to_pylist(), strict=True))
        return values

    def newest(self, batch: Batch) -> Manifest:
        """The newest complete attempt at a batch, the one a load or a replay takes."""
        attempts = self.attempts(batch)
        if not attempts:
            near = ", ".join(one.id for one in self.nearest(batch))
            hint = f"; landed near it are {near}" if near else ""
            raise LandingError(f"batch {batch.id} has no complete attempt in {self.root}; extract it first{hint}")
        return attempts[-1]

    def attempt(self, batch: Batch, name: str) -> Manifest | None:
        """One complete attempt by its name, None if it is not there."""
        return next((manifest for manifest in self.attempts(batch) if manifest.attempt == name), None)

    def nearest(self, batch: Batch) -> list[Batch]:
        """The batches of the same stream that have been tried and lie nearest to one."""
        return batch.nearest(self.batches(batch.client, batch.stream))

    def verify(self, manifest: Manifest) -> None:
        """Raise unless every part is there, byte for byte."""
        for part in manifest.parts:
            try:
                content = self._fs.cat_file(self.full_path(part.path))
            except FileNotFoundError:
                raise LandingError(
                    f"batch {manifest.batch_id}: part {part.path} is missing from {self.root}; extract the batch again"
                ) from None
            if hashlib.sha256(content).hexdigest() != part.sha256:
                raise LandingError(
                    f"batch {manifest.batch_id}: part {part.path} is not what was written (its checksum differs); "
                    "extract the batch again"
                )

    def fetch(self, part: Part, into: str) -> str:
        """A local path of a part: its own where landing is local, else a copy in the given folder."""
        if self.is_local:
            return self.full_path(part.path)
        local = f"{into}/{part.sha256}.parquet"
        self._fs.get_file(self.full_path(part.path), local)
        return local

    def read(self, path: str) -> bytes | None:
        """The content of one small file below the root, None if there is none."""
        try:
            return bytes(self._fs.cat_file(self.full_path(path)))
        except FileNotFoundError:
            return None

    def write(self, path: str, content: bytes) -> None:
        """Write one small file below the root, whole or not at all."""
        self._write(path, content)

    def _read_manifest(self, path: str) -> Manifest:
        try:
            return msgspec.json.decode(self._fs.cat_file(path), type=Manifest)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise LandingError(
                f"manifest {path} cannot be read ({error}); delete its folder and extract again"
            ) from None

    def _write(self, path: str, content: Any) -> None:
        full = self.full_path(path)
        self._fs.makedirs(full.rsplit("/", 1)[0], exist_ok=True)
        if self.is_local:
            # A rename is all or nothing; a cut-off write leaves a name that nothing reads.
            partial = f"{full}.partial"
            with self._fs.open(partial, "wb") as file:
                file.write(content)
            self._fs.mv(partial, full)
        else:
            self._fs.pipe_file(full, bytes(content))
