"""The simulated time of day. It lives in a file, survives restarts and moves only when told to."""

import json
import os
from pathlib import Path

from .world.times import instant, iso


class Clock:
    def __init__(self, path: Path, start: int | None, default: int) -> None:
        """Keep the file's time unless a start is given; a new file begins at the default."""
        self._path = path
        if start is None:
            start = _read(path) if path.exists() else default
        self.set(start)

    @property
    def now(self) -> int:
        return self._now

    def set(self, at: int) -> None:
        self._now = at
        write_json(self._path, {"now": iso(at)})

    def advance(self, seconds: float) -> None:
        self.set(self._now + round(seconds * 1000))


def _read(path: Path) -> int:
    try:
        return instant(json.loads(path.read_text())["now"])
    except (ValueError, KeyError, TypeError) as fault:
        raise ValueError(f"{path} is not a clock file ({fault}): delete it, or start with --clock") from fault


def write_json(path: Path, content: object) -> None:
    """Write a file in one step: a reader sees the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(content) + "\n")
    draft.replace(path)
