"""What a person reads while a command works: plain lines, one line that lives on a terminal, and tables at the end."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from typing import TextIO

STYLES = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "bold": "1"}


def duration(seconds: float) -> str:
    """A duration as a person says it: 0.4 s, 12 s, 2 min 05 s."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def counted(number: int, noun: str) -> str:
    """3 tasks, 1 task, 12,345 rows, 2 batches."""
    plural = noun + ("es" if noun.endswith(("ch", "s", "x")) else "s")
    return f"{number:,} {noun if number == 1 else plural}"


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 3, 0)] + "..."


class Console:
    """Writes lines; on a terminal also keeps one live line below them, and colours unless NO_COLOR is set."""

    LABEL = 15

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.terminal = self.out.isatty() and os.environ.get("TERM") != "dumb"
        self.coloured = self.terminal and not os.environ.get("NO_COLOR")
        self._live = ""

    def style(self, text: str, style: str) -> str:
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.coloured and text else text

    def line(self, text: str = "") -> None:
        """A line that stays."""
        self._clear()
        print(text, file=self.out, flush=True)
        self._draw()

    def step(self, label: str, text: str, seconds: float | None = None, style: str = "") -> None:
        """A labelled line: what it was, how it went, how long it took."""
        took = "" if seconds is None else self.style(f"  {duration(seconds)}", "dim")
        label = f"  {label:<{self.LABEL}}"
        self.line((self.style(label, style) if style else label) + text + took)

    def live(self, text: str) -> None:
        """Replace the live line. Elsewhere than on a terminal it does not exist: what matters is said with `line`."""
        if self.terminal:
            self._clear()
            self._live = shortened(text, shutil.get_terminal_size().columns - 1)
            self._draw()

    def done(self) -> None:
        """Take the live line away."""
        self._clear()
        self._live = ""

    def _clear(self) -> None:
        if self._live:
            self.out.write("\r\x1b[2K")

    def _draw(self) -> None:
        if self._live:
            self.out.write(self._live)
            self.out.flush()


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Aligned columns as lines; `right` are the columns aligned to the right (numbers)."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def shown(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "   ".join(cells).rstrip()

    return [shown(header), *(shown(row) for row in rows)]


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start
