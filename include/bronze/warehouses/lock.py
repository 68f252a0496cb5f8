"""Locks of the operating system: gone the moment their holder is, however that one ends, and naming it to who waits.

The warehouse lock: DuckDB lets one process write, and a reader shuts it out too, so everyone who opens the live files
takes this lock first. A lease: two runs that read the same source would each pace their calls without knowing of the
other, so a rate bucket belongs to one of them at a time.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

log = logging.getLogger(__name__)

LOCK_FILE = "warehouse.lock"
_held: dict[Path, int] = {}


class LockedError(RuntimeError):
    """Somebody else has the lock and did not let go in time."""


def holder_of(file: Path) -> str:
    """Who has a lock, as they named themselves; the last holder if nobody has it now."""
    try:
        note = json.loads(file.read_text())
        return f"{note['holder']} (pid {note['pid']}, since {note['since']})"
    except (OSError, ValueError, KeyError):
        return "someone who has not said who they are yet"


def acquire(
    file: Path,
    what: str,
    holder: str,
    *,
    wait: float | None = None,
    report: Callable[[str], None] = log.warning,
) -> int:
    """Take a lock and keep it until the descriptor is closed or this process ends. `wait` None waits for ever."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    started = reported = time.monotonic()
    said = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            now = time.monotonic()
            if wait is not None and now - started >= wait:
                os.close(descriptor)
                raise LockedError(
                    f"{what} is in use by {holder_of(file)}; '{holder}' waited {now - started:.0f} s for it. "
                    "Run it again when that has ended"
                ) from None
            if not said or now - reported >= 30:
                report(f"{what} is in use by {holder_of(file)}; '{holder}' waits for it")
                said, reported = True, now
            time.sleep(0.1)
    note = {"holder": holder, "pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(note).encode(), 0)
    return descriptor


@contextmanager
def _hold(file: Path, what: str, holder: str, wait: float | None, report: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock for a stretch of code. A process that has it already goes straight on."""
    if file in _held:
        yield
        return
    _held[file] = acquire(file, what, holder, wait=wait, report=report)
    try:
        yield
    finally:
        os.close(_held.pop(file))


def acquire_warehouse(
    folder: Path, holder: str, *, wait: float | None = None, report: Callable[[str], None] = log.warning
) -> int:
    """Take the warehouse; whoever holds the descriptor, a child process too, has it until the last one is closed."""
    return acquire(folder / LOCK_FILE, f"the warehouse in {folder}", holder, wait=wait, report=report)


@contextmanager
def warehouse_lock(
    folder: Path,
    holder: str,
    *,
    wait: float | None = None,
    report: Callable[[str], None] = log.warning,
) -> Iterator[None]:
    """Hold the warehouse for a stretch of code."""
    with _hold(folder / LOCK_FILE, f"the warehouse in {folder}", holder, wait, report):
        yield


@contextmanager
def lease(
    folder: Path,
    connection: str,
    bucket: str,
    holder: str,
    *,
    wait: float | None = None,
    report: Callable[[str], None] = log.warning,
) -> Iterator[None]:
    """Be the only one to call a rate bucket of a connection."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"{connection}-{bucket}").strip("-").lower()
    with _hold(folder / f"{name}.lock", f"bucket '{bucket}' of connection {connection}", holder, wait, report):
        yield


def hold_until_exit(folder: Path, holder: str) -> None:
    """Take the warehouse for the rest of this process: for code that only says when it starts, as a dbt task does."""
    file = folder / LOCK_FILE
    if file not in _held:
        _held[file] = acquire_warehouse(folder, holder)
