"""How landing and loading grow with what there is: seconds and memory, up to a million messages and 100 years' worth.

Replies are made on the fly, so that neither a network nor a file of them is measured, and the product reads them
through its own client, one reply of an issue's ten messages at a time, as Pylon gives them: into landing as one batch,
then into an empty warehouse in one transaction. One batch is the hard case: a history comes in windows of thirty days.
Each size runs in processes of its own, landing in one and loading in another, as in a night, and memory is the most
that the process has had, Python and its libraries with it. Making the replies takes time too: it is measured apart, by
a run that only makes them, and taken off. What a year is: 1,500 issues of 7 KB and 15,000 messages. How long a server
takes to answer comes on top, and with the limits of the vendors it is most of it; `extraction` measures that.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bronze import product, replies
from benchmarks.harness import Curve, Figure, Options, Result, Series, Taken, apart, taken
from include.bronze.landing import Manifest

MESSAGES, QUICK_MESSAGES = (10_000, 100_000, 1_000_000), (500, 1_000)
YEARS, QUICK_YEARS = (1, 10, 100), (0.05,)
EACH = 10
ISSUES_A_YEAR, MESSAGES_A_YEAR = 1_500, 15_000
MEMORY_MB = 400
# Ten times as many may take so much more than ten times as long before that is no straight line any more.
BEND = 1.15


@dataclass(frozen=True)
class Load:
    """What it took to land and to load that many records, each in a process of its own."""

    records: int
    landing: Taken
    loading: Taken

    @property
    def seconds(self) -> float:
        return self.landing.seconds + self.loading.seconds

    @property
    def cpu(self) -> float:
        return self.landing.cpu + self.loading.cpu

    @property
    def peak_mb(self) -> float:
        return max(self.landing.peak_mb, self.loading.peak_mb)


def made(stream: str, count: int) -> Iterator[bytes]:
    """Replies that hold that many records of a stream."""
    if stream == "pylon_issues":
        return replies.issue_replies(count)
    return replies.message_replies(range(count // EACH), EACH)


def land(folder: Path, stream: str, count: int) -> Taken:
    """Landing, less what it takes to make the replies."""
    parents = [replies.identity("issue", number) for number in range(count // EACH)]
    answer: list[Manifest] = []
    steps = product.bronze(folder)
    both = taken(lambda: answer.append(product.land(steps, stream, made(stream, count), parents)))
    assert answer[0].rows == count
    making = taken(lambda: [None for _ in made(stream, count)])
    return Taken(both.seconds - making.seconds, both.cpu - making.cpu, both.peak_mb)


def load(folder: Path, stream: str) -> Taken:
    """Loading what is landed."""
    steps = product.bronze(folder)
    return taken(lambda: product.load(steps, stream))


def both(folder: Path, stream: str, count: int) -> Load:
    """One after the other."""
    return Load(count, apart(land, folder, stream, count)[0], apart(load, folder, stream)[0])


def run(options: Options) -> Result:
    """Messages first, then years."""
    places = (options.folder / f"place-{number}" for number in itertools.count())
    sizes, years = options.pick(MESSAGES, QUICK_MESSAGES), options.pick(YEARS, QUICK_YEARS)
    found: dict[int, list[Load]] = {size: [] for size in sizes}
    for _ in range(options.repeat):
        for size in sizes:
            found[size].append(both(next(places), "pylon_messages", size))
    yearly = {year: _year(next(places), year) for year in years}
    *_, second, largest = sizes
    bend = statistics.median(
        (more.cpu / largest) / (less.cpu / second) for more, less in zip(found[largest], found[second], strict=True)
    )
    memory = max(each.peak_mb for each in found[largest])
    figures = [
        Figure("memory", f"memory at most, {largest:,} messages", memory, "MB", f"≤ {MEMORY_MB}"),
        Figure("memory_landing", "of it landing", max(each.landing.peak_mb for each in found[largest]), "MB"),
        Figure("memory_loading", "of it loading", max(each.loading.peak_mb for each in found[largest]), "MB"),
        Figure("bend", f"CPU of a message of {largest:,} by that of one of {second:,}", bend, "times", f"≤ {BEND}"),
        *(
            Figure(f"year_{_name(year)}", f"{year:g} years' worth, CPU", _cpu(loads), "s")
            for year, loads in yearly.items()
        ),
    ]
    series = [
        Series(f"{size:,} messages, {step}, {label}", unit, [getattr(getattr(each, step), attribute) for each in loads])
        for size, loads in found.items()
        for step in ("landing", "loading")
        for attribute, label, unit in (("seconds", "clock", "s"), ("cpu", "CPU", "s"), ("peak_mb", "memory", "MB"))
    ]
    points = {size: loads[-1] if options.quick else _middle(loads) for size, loads in found.items()}
    curves = [
        Curve(
            "Messages, landed and loaded",
            "messages",
            "CPU seconds",
            {
                "landing": [(size, each.landing.cpu) for size, each in points.items()],
                "loading": [(size, each.loading.cpu) for size, each in points.items()],
            },
        ),
        Curve(
            "Messages, memory at most",
            "messages",
            "MB",
            {
                "landing": [(size, each.landing.peak_mb) for size, each in points.items()],
                "loading": [(size, each.loading.peak_mb) for size, each in points.items()],
            },
        ),
        Curve(
            "Years of 1,500 issues and 15,000 messages",
            "years",
            "CPU seconds",
            {
                "landing": [(year, sum(each.landing.cpu for each in loads)) for year, loads in yearly.items()],
                "loading": [(year, sum(each.loading.cpu for each in loads)) for year, loads in yearly.items()],
            },
        ),
        Curve(
            "Years, memory at most",
            "years",
            "MB",
            {
                "landing": [(year, max(each.landing.peak_mb for each in loads)) for year, loads in yearly.items()],
                "loading": [(year, max(each.loading.peak_mb for each in loads)) for year, loads in yearly.items()],
            },
        ),
    ]
    return Result(figures, series, curves, {"messages": list(sizes), "years": list(years), "messages an issue": EACH})


def _year(place: Path, year: float) -> list[Load]:
    """So many years of issues, then of messages."""
    return [
        both(place, "pylon_issues", round(ISSUES_A_YEAR * year)),
        both(place, "pylon_messages", round(MESSAGES_A_YEAR * year / EACH) * EACH),
    ]


def _cpu(loads: Sequence[Load]) -> float:
    return sum(each.cpu for each in loads)


def _middle(loads: Sequence[Load]) -> Load:
    return sorted(loads, key=lambda each: each.cpu)[len(loads) // 2]


def _name(year: float) -> str:
    return f"{year:g}".replace(".", "_")
