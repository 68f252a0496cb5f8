"""Random nights, thought out beforehand: a pure function of a seed, so that what failed can be read and played again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

DAY = timedelta(days=1)
# When a night is run, 03:20 in São Paulo, and how long before that the last thing it covers may have happened.
FIRST = datetime(2026, 1, 5, 6, 20, tzinfo=UTC)
PAST_THE_CUT = timedelta(minutes=20)
INDEX_LAG = timedelta(minutes=5)

# The nights of one plan. Who wants fewer gets the first of them, so that a seed stands for one plan only.
AT_ONCE = 12

TASK, VENDORS = "task", "simulators"
KINDS = ("scheduler", "api-server", "dag-processor", VENDORS, TASK)
# Under which name the kills of a kind are counted.
COUNTED = {kind: f"{kind}-kills" for kind in KINDS}
TASKS = ("plan", "pylon.extract_issues", "pylon.extract_messages", "plain.extract", "pylon.load", "build", "publish")
ENDPOINTS = {
    "pylon": ("*", "POST /issues/search", "GET /issues/{id}/messages", "GET /accounts", "GET /users"),
    "plain": ("*", "threads", "thread"),
}
# What asking again helps against, within the patience of one task.
PASSING: tuple[dict[str, Any], ...] = (
    {"kind": "too_many", "seconds": 0.2},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "cut"},
    {"kind": "invalid_json"},
    {"kind": "reset"},
    {"kind": "glitch_page"},
    {"kind": "duplicate_rows"},
    {"kind": "slow", "seconds": 0.5},
)


@dataclass(frozen=True)
class Kill:
    """A process that is killed so many seconds after a task of the night has begun, and is away for some more."""

    kind: str
    task: str
    after: float
    away: float = 0

    def __str__(self) -> str:
        gone = f" and away for {self.away} s" if self.away else ""
        return f"{self.kind} killed {self.after} s into {self.task}{gone}"


@dataclass(frozen=True)
class Night:
    """One night as it is to be: when, and what goes wrong."""

    at: datetime
    missed: int
    """How many nights before it nobody ran."""
    backfill: bool
    """Airflow is asked for the one before it, too."""
    sync: datetime | None
    """When somebody wants to see the day before as it is."""
    faults: tuple[dict[str, Any], ...]
    refused: str | None
    """A system that refuses the token until a person has mended it and cleared the failed tasks."""
    kills: tuple[Kill, ...]
    look: bool
    """The weekly look for deletions follows."""
    rerun: float | None
    """One of the loaded batches is then loaded again: how far down their list, 0 the first and 1 the last."""

    def replayed(self, batches: Sequence[str]) -> str | None:
        """The batch that is loaded again, of those that are loaded."""
        return None if self.rerun is None else batches[round(self.rerun * (len(batches) - 1))]

    def __str__(self) -> str:
        said = [f"{self.at:%Y-%m-%d}"]
        said += [f"after {self.missed} missed"] if self.missed else []
        said += ["a backfill"] if self.backfill else []
        said += [f"a sync at {self.sync:%d. %H:%M}"] if self.sync else []
        said += [" ".join(str(value) for value in fault.values()) for fault in self.faults]
        said += [f"{self.refused} refuses"] if self.refused else []
        said += map(str, self.kills)
        said += ["a look for deletions"] if self.look else []
        said += [f"a replay of the batch at {self.rerun:.0%}"] if self.rerun is not None else []
        return ", ".join(said)


def nights(seed: int, moments: Sequence[datetime], deletions: Sequence[datetime]) -> list[Night]:
    """Nights of a world in which something happens at these moments, and a ticket is deleted at those.

    Nobody runs a night in which something happens between what it covers and what it reads: the world as of that night
    would be two moments. Deletions are looked for when there are some, since until then Gold cannot know of them.
    """
    draw = Random(seed)
    when = list(_dates(draw, _is_quiet(moments, PAST_THE_CUT)))
    calm = _is_quiet(moments, INDEX_LAG)
    struck = _spread_kills(draw)
    found: list[Night] = []
    looked = None
    for number, (at, missed) in enumerate(when):
        first = number == 0
        look = draw.random() < 0.15 or any((looked is None or looked < each) and each <= at for each in deletions)
        looked = at if look else looked
        found.append(
            Night(
                at,
                missed,
                backfill=missed > 0 and draw.random() < 0.5,
                sync=None if first or draw.random() < 0.8 else _moment_of_day(draw, at - DAY, calm),
                faults=tuple(_fault(draw) for _ in range(draw.choice((0, 1, 1, 2, 3)))),
                refused=draw.choice(tuple(ENDPOINTS)) if draw.random() < 0.1 else None,
                kills=tuple(struck[number]),
                look=look,
                rerun=None if first or draw.random() < 0.8 else round(draw.random(), 2),
            )
        )
    return found


def _dates(draw: Random, is_quiet: Callable[[datetime], bool]) -> Iterator[tuple[datetime, int]]:
    """When the nights are run, each with how many were missed since the one before."""
    at = FIRST + draw.randrange(20) * DAY
    missed = 0
    for _ in range(AT_ONCE):
        for _ in range(draw.choice((0, 0, 0, 0, 0, 1, 2, 4))):
            at, missed = at + DAY, missed + 1
        while not is_quiet(at):
            at, missed = at + DAY, missed + 1
        yield at, missed
        at, missed = at + DAY, 0


def _is_quiet(moments: Sequence[datetime], lag: timedelta) -> Callable[[datetime], bool]:
    return lambda at: not any(at - lag <= moment < at for moment in moments)


def _moment_of_day(draw: Random, at: datetime, is_quiet: Callable[[datetime], bool]) -> datetime:
    while True:
        moment = at + timedelta(minutes=draw.randrange(60, 22 * 60))
        if is_quiet(moment):
            return moment


def _fault(draw: Random) -> dict[str, Any]:
    system = draw.choice(tuple(ENDPOINTS))
    return {
        "system": system,
        "endpoint": draw.choice(ENDPOINTS[system]),
        **draw.choice(PASSING),
        "count": draw.choice((1, 1, 2, 3)),
        "after": draw.randrange(6),
    }


def _spread_kills(draw: Random) -> list[list[Kill]]:
    """Every kind of process is killed three times, never more than two in one night."""
    kinds = list(KINDS) * 3
    draw.shuffle(kinds)
    places = [number for number in range(AT_ONCE) for _ in range(2)]
    draw.shuffle(places)
    found: list[list[Kill]] = [[] for _ in range(AT_ONCE)]
    for kind, place in zip(kinds, places, strict=False):
        # Vendors that come back at once are a hiccup, and some seconds later an outage.
        away = round(draw.uniform(1, 6), 1) if kind == VENDORS and draw.random() < 0.5 else 0
        found[place].append(Kill(kind, draw.choice(TASKS), round(draw.uniform(0, 1.5), 2), away))
    return [sorted(kills, key=lambda kill: TASKS.index(kill.task)) for kills in found]
