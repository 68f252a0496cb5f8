"""What a campaign asks for: suites, their parts, how many cases of each, and the portions they are run in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

from tests.campaign.plan import AT_ONCE, COUNTED

# Worlds in which something happens between the end of what a night covers and the moment it reads, so that "as of the
# night" would be two moments. tests/gold/world.py refuses them.
RESTLESS = {"tiny": {3, 31, 33, 43, 65, 83}, "small": {6}}
SCHEDULES_AT_ONCE, KILLS_AT_ONCE, SEQUENCES_AT_ONCE, INTERVALS_AT_ONCE = 20, 20, 50, 5_000
WORLDS_AT_ONCE = 10
NIGHTLY_KILLS = dict.fromkeys(COUNTED.values(), 20)


@dataclass(frozen=True)
class Portion:
    """Some cases by a seed, run in a process of their own: what is recorded, and what can be played again."""

    name: str
    seed: int
    gives: Mapping[str, int]
    """How many cases of which part, if all of them run. A test that counts them itself has the last word."""
    tests: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """One part of the house."""

    name: str
    asks: str
    asked: Mapping[str, int]
    portions: Callable[[Mapping[str, int]], Iterator[Portion]]


def portioned(part: str, asked: int, at_once: int) -> Iterator[tuple[int, dict[str, int]]]:
    """Seeds from 0 on, each with how many cases of a part it is to give."""
    for seed, first in enumerate(range(0, asked, at_once)):
        yield seed, {part: min(at_once, asked - first)}


def numbers(seed: int, at_once: int, many: int) -> str:
    """The seeds of single cases that belong to a portion."""
    return ",".join(str(seed * at_once + each) for each in range(many))


def quiet(size: str) -> Iterator[int]:
    return (seed for seed in count(1) if seed not in RESTLESS[size])


def bronze(asked: Mapping[str, int]) -> Iterator[Portion]:
    for seed, gives in portioned("schedules", asked["schedules"], SCHEDULES_AT_ONCE):
        yield Portion(
            *("schedules", seed, gives),
            ["tests/bronze/test_nights.py", "-k", "after_any_schedule"],
            {"SUPPORT_SCHEDULE_SEEDS": numbers(seed, SCHEDULES_AT_ONCE, gives["schedules"])},
        )
    # Each seed kills twice in an extraction and twice in a load; one that comes too late is not counted.
    for seed, gives in portioned("kills", asked["kills"], KILLS_AT_ONCE):
        yield Portion(
            *("kills", seed, gives),
            ["tests/bronze/test_command_line.py", "-k", "a_kill_in_the_middle"],
            {"SUPPORT_KILL_SEEDS": numbers(seed, KILLS_AT_ONCE, -(-gives["kills"] // 3))},
        )
    if asked["faults"]:
        yield Portion(
            *("faults", 0, {"faults": asked["faults"]}),
            ["tests/bronze/test_nights.py", "-k", "fault_ends or two_faults"],
        )


def silver(asked: Mapping[str, int]) -> Iterator[Portion]:
    for seed, gives in portioned("sequences", asked["sequences"], SEQUENCES_AT_ONCE):
        yield Portion(
            *("sequences", seed, gives),
            ["tests/dbt/test_silver_property.py", f"--hypothesis-seed={seed}"],
            {"SUPPORT_EXAMPLES": str(gives["sequences"])},
        )


def gold(asked: Mapping[str, int]) -> Iterator[Portion]:
    worlds = ["tests/gold", "--ignore=tests/gold/test_business_time.py"]
    tiny, small = (list(islice(quiet(size), asked[f"{size}-worlds"])) for size in ("tiny", "small"))
    for seed, gives in portioned("tiny-worlds", asked["tiny-worlds"], WORLDS_AT_ONCE):
        these = tiny[seed * WORLDS_AT_ONCE :][: gives["tiny-worlds"]]
        larger = small[seed : seed + 1]
        yield Portion(
            *("worlds", seed, {**gives, "small-worlds": len(larger)}),
            worlds,
            {
                "SUPPORT_GOLD_SEEDS": ",".join(map(str, these)),
                "SUPPORT_GOLD_SMALL_SEEDS": ",".join(map(str, larger)),
            },
        )
    for seed, gives in portioned("intervals", asked["intervals"], INTERVALS_AT_ONCE):
        yield Portion(
            *("intervals", seed, gives),
            ["tests/gold/test_business_time.py"],
            {"SUPPORT_INTERVALS": str(gives["intervals"]), "SUPPORT_INTERVALS_SEED": str(seed)},
        )


def parity(asked: Mapping[str, int]) -> Iterator[Portion]:
    for seed in range(asked["tiny-worlds"]):
        # dbt's tests take five times as long as its models, and are the same for every world: one has them too.
        tests = {"SUPPORT_SNOWFLAKE_TESTS": "1"} if seed == 0 else {}
        yield Portion(
            *("worlds", seed, {"tiny-worlds": 1}),
            ["tests/snowflake/test_parity.py"],
            {"SUPPORT_PARITY_SEEDS": str(seed + 1), **tests},
        )


def nights(asked: Mapping[str, int]) -> Iterator[Portion]:
    for seed, gives in portioned("nights", asked["nights"], AT_ONCE):
        yield Portion(
            *("nights", seed, {**gives, **dict.fromkeys(NIGHTLY_KILLS, 0)}),
            ["tests/campaign/random_nights.py", "--exitfirst"],
            {"SUPPORT_NIGHTS_SEED": str(seed), "SUPPORT_NIGHTS": str(gives["nights"])},
        )


SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            "gold",
            "worlds whose Gold is held against what really happened, and spans of business time against a walk",
            {"tiny-worlds": 50, "small-worlds": 3, "intervals": 20_000},
            gold,
        ),
        Suite(
            "bronze",
            "random schedules of nights, kill -9 in extract and load, faults alone and in pairs",
            {"schedules": 200, "kills": 100, "faults": 96},
            bronze,
        ),
        Suite(
            "silver",
            "random sequences of loads and runs, for each kind of model, held against a rebuild",
            {"sequences": 500},
            silver,
        ),
        Suite(
            "parity",
            "worlds built on DuckDB and through Snowflake's protocol, compared row by row",
            {"tiny-worlds": 10},
            parity,
        ),
        Suite(
            "nights",
            "random nights on a real scheduler: faults, kills, outages, backfills, reruns, syncs",
            {"nights": 300, **NIGHTLY_KILLS},
            nights,
        ),
    )
}
