"""The warehouse lock. DuckDB lets one process write, and a reader shuts it out too, so everyone who opens the live
files takes this lock first, and can see who holds it.

It is a lock of the operating system: it is gone the moment its holder is, however that one ends.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

log = logging.getLogger(__name__)

LOCK_FILE = "warehouse.lock"
_held: dict[Path, int] = {}


class LockedError(RuntimeError):
    """Somebody else has the warehouse and did not let go in time."""


def lock_file(folder: Path) -> Path:
    return folder / LOCK_FILE


def holder_of(folder: Path) -> str:
    """Who has the warehouse, as they named themselves; the last holder if nobody has it now."""
    try:
        note = json.loads(lock_file(folder).read_text())
        return f"{note['holder']} (pid {note['pid']}, since {note['since']})"
    except (OSError, ValueError, KeyError):
        return "someone who has not said who they are yet"


def acquire(
    folder: Path,
    holder: str,
    *,
    wait: float | None = None,
    report: Callable[[str], None] = log.warning,
) -> int:
    """Take the lock and keep it until the descriptor is closed or this process ends. `wait` None waits for ever."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock_file(folder), os.O_RDWR | os.O_CREAT, 0o644)
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
                    f"the warehouse in {folder} is in use by {holder_of(folder)}; "
                    f"'{holder}' waited {now - started:.0f} s for it. Run it again when that has ended"
                ) from None
            if not said or now - reported >= 30:
                report(f"the warehouse is in use by {holder_of(folder)}; '{holder}' waits for it")
                said, reported = True, now
            time.sleep(0.1)
    note = {"holder": holder, "pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(note).encode(), 0)
    return descriptor


@contextmanager
def warehouse_lock(
    folder: Path,
    holder: str,
    *,
    wait: float | None = None,
    report: Callable[[str], None] = log.warning,
) -> Iterator[None]:
    """Hold the lock for a stretch of code. A process that has it already goes straight on."""
    if folder in _held:
        yield
        return
    _held[folder] = acquire(folder, holder, wait=wait, report=report)
    try:
        yield
    finally:
        os.close(_held.pop(folder))


def hold_until_exit(folder: Path, holder: str) -> None:
    """Take the lock for the rest of this process: for code that only says when it starts, as a dbt task does."""
    if folder not in _held:
        _held[folder] = acquire(folder, holder)
