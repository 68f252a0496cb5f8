"""The last campaigns' figures in docs/reliability.md, made from their records so that the page says what was run.

python -m tests.campaign.page [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from include.orchestration.generated import filled, keep, table
from include.settings import REPO
from tests.campaign.record import FOLDER, Played, read
from tests.campaign.suites import SUITES, Suite

PAGE = REPO / "docs" / "reliability.md"
HEADER = ("suite", "part", "asked", "done", "failed", "mended", "portions", "commit", "hours")


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers as a person writes them: 0-3, 7."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(f"{first}-{last}" if first < last else f"{first}" for first, last in found)


def rows(suite: Suite, folder: Path = FOLDER) -> Iterator[tuple[str, ...]]:
    """Of each part of a suite what was asked, what was done and what came of it."""
    record = read(suite.name, folder)
    done = record.done()
    for part, asked in suite.asked.items():
        played = [one for one in record.played if part in one.done]
        mended = [one for one in record.mended if part in one.done]
        yield (
            suite.name,
            part,
            f"{asked:,}",
            f"{done[part]:,}",
            ", ".join(f"{one.portion} {one.seed}" for one in played if one.failures) or "none",
            ", ".join(f"{one.portion} {one.seed} of {one.commit}" for one in mended) or "none",
            "; ".join(_seeds(played)) or "none",
            ", ".join(sorted({one.commit for one in played})) or "none",
            f"{sum(one.seconds for one in played) / 3600:.1f}",
        )


def _seeds(played: Sequence[Played]) -> list[str]:
    names = dict.fromkeys(one.portion for one in played)
    return [f"{name} {ranges(one.seed for one in played if one.portion == name)}" for name in names]


def figures(folder: Path = FOLDER) -> str:
    """The table, and the machines it was run on."""
    machines = sorted({one.machine for name in SUITES for one in read(name, folder).played})
    on = f"\nOn {'; '.join(machines)}.\n" if machines else ""
    return table(HEADER, (row for suite in SUITES.values() for row in rows(suite, folder))) + on


def main(arguments: Sequence[str] | None = None, page: Path = PAGE) -> int:
    """The command line."""
    return keep(
        arguments,
        "tests.campaign.page",
        __doc__ or "",
        page,
        lambda: filled(page.read_text(), {"campaign": figures()}),
    )


if __name__ == "__main__":
    sys.exit(main())
