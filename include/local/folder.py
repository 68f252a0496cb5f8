"""The data folder: where the local commands keep things, and whose it is at the moment. Standard library only."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]


class StackError(Exception):
    """The stack cannot do what was asked; the message says what to do."""

    exit_code = 1


class Refused(StackError):
    """Asked for something that cannot be done as it stands: nothing was started."""

    exit_code = 2


def shown(path: Path) -> str:
    """A path as a person types it: from the repo folder when it is inside."""
    return str(path.relative_to(REPO)) if path.is_relative_to(REPO) else str(path)


@dataclass(frozen=True)
class Place:
    """The folders of one data folder that the local commands use."""

    data: Path

    def make(self) -> None:
        """Make the folder, or say why it cannot be."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            (self.data / ".writable").touch()
            (self.data / ".writable").unlink()
        except OSError as error:
            raise Refused(
                f"SUPPORT_DATA_DIR is '{self.data}', which cannot be used ({error.strerror}); "
                "name a folder this user may write to"
            ) from error

    @property
    def airflow(self) -> Path:
        return self.data / "airflow"

    @property
    def logs(self) -> Path:
        return self.airflow / "logs"

    @property
    def database(self) -> Path:
        return self.airflow / "airflow.db"

    @property
    def simulators(self) -> Path:
        return self.data / "simulators"

    @property
    def lock(self) -> Path:
        return self.data / "stack.lock"


# -- one stack per data folder ---------------------------------------------------------------------------------------


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def hold(place: Place, command: str, patience: float = 20.0) -> Iterator[int]:
    """Hold the data folder: one stack at a time. Yields the lock's descriptor.

    When the holder's master is gone its keeper is still clearing up: that is waited for. A living one is named.
    """
    place.make()
    handle = os.open(place.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = _holder(place.lock)
                if _alive(holder.get("pid", 0)) or time.monotonic() > deadline:
                    raise Refused(
                        f"{place.data} is in use by {holder.get('command', 'another command')} "
                        f"(pid {holder.get('pid', 'unknown')}, since {holder.get('since', 'unknown')}). "
                        "Wait for it or stop it, or give this one a folder of its own with SUPPORT_DATA_DIR=..."
                    ) from None
                time.sleep(0.2)
        note = {"pid": os.getpid(), "command": command, "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)
        yield handle
    finally:
        os.close(handle)


def _holder(lock: Path) -> dict[str, Any]:
    try:
        note: dict[str, Any] = json.loads(lock.read_text())
    except (OSError, ValueError):
        return {}
    return note
