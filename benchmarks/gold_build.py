"""How much does dbt add to the SQL of Gold, and how do Silver and Gold grow with the tickets of a year?

A simulated world goes through the product's own extraction and load into Bronze; only the wire is left out, the
simulators are called as functions. dbt builds Silver from nothing, a night later again with what has changed, and then
all of Gold, with two threads. The statements that a run of Gold has sent, all of them with their transactions and
comments, are then sent once more by a bare DuckDB connection to the same files, with the same limit of memory. dbt
counts from its first model's first statement to the end of its last model: its start-up and parsing are a figure of
their own. Each build is a process of its own; dbt and the bare connection take turns, after dbt has built Gold once.
The ratio is of the clock, because that is what threads are for; that of the processors' time stands beside it. Compared
is the world `large`, a year with about 105,000 Pylon issues and 900,000 messages. The others are for the curves, each
of their builds was done once: `small`, and ten and a hundred times its tickets a day, for as long. Those had Plain for
the first three months and `large` for one, and a Plain thread is dearer, so the curves bend where they pass `large`. A
last run over `large` has an eighth of the memory: how Gold does when it has to spill.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from benchmarks.harness import Curve, Figure, Options, Result, Series, Taken, ratios
from benchmarks.medallion.building import Build, Statement, built, dbt, write_profile
from benchmarks.medallion.worlds import SEED, Nights
from include.simulators.world.sizes import SIZES, Size

MEMORY, LITTLE_MEMORY = "8GB", "1GB"
THREADS = "2"
LARGE_STREAM = 1_000
SMALL = SIZES["small"]
TENFOLD = replace(SMALL, name="tenfold", tickets_per_day=10 * SMALL.tickets_per_day, accounts=600, agents=50)
HUNDREDFOLD = replace(
    SMALL, name="hundredfold", tickets_per_day=100 * SMALL.tickets_per_day, accounts=3_000, agents=180
)
SILVER = ("run", "--select", "group:silver", "--threads", THREADS)
GOLD = ("run", "--select", "group:gold", "--threads", THREADS)


@dataclass(frozen=True)
class Measured:
    """One world: what was in it and what each build took."""

    rows: dict[str, int]
    first: Build
    increment: Build
    delivered: dict[str, int]
    gold: Sequence[Build]
    straight: Sequence[Build]
    spilling: Build
    file_mb: float

    @property
    def tickets(self) -> int:
        return self.rows["pylon_issues"] + self.rows["plain_threads"]


def straight(data_dir: Path, statements: Sequence[Statement], memory: str = MEMORY) -> Build:
    """What dbt has sent, without dbt: model after model, in the order in which they began."""
    by_node: dict[str, list[Statement]] = {}
    for one in statements:
        by_node.setdefault(one.node, []).append(one)
    started = time.perf_counter()
    with duckdb.connect(
        str(data_dir / "warehouse" / "CORE_DB_LOCAL.duckdb"), config={"memory_limit": memory}
    ) as connection:
        connection.execute(f"attach '{data_dir / 'warehouse' / 'DEF_DB_LOCAL.duckdb'}' as DEF_DB_LOCAL")
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
        begun, cpu = time.perf_counter(), time.process_time()
        sent, models = [], {}
        for node, own in by_node.items():
            of_node = time.perf_counter()
            for one in own:
                at, used = time.perf_counter(), time.process_time()
                connection.execute(one.sql)
                sent.append(Statement(node, one.sql, time.perf_counter() - at, time.process_time() - used))
            models[node] = time.perf_counter() - of_node
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return Build(sent, seconds, cpu, time.perf_counter() - started, models)


def measure(folder: Path, size: Size, repeat: int, *, second_night: bool = True) -> Measured:
    """Load a world and build it; Gold some times more, in turn with the same statements without dbt."""
    nights = Nights(folder, size)
    rows = nights.load("first")
    write_profile(folder, MEMORY)
    built(dbt, folder, "seed")
    first = built(dbt, folder, *SILVER)
    delivered, increment = rows, first
    if second_night:
        nights.move_on()
        delivered = nights.load("second")
        increment = built(dbt, folder, *SILVER)
    # Only what replaces a model that is there already can be sent again.
    built(dbt, folder, *GOLD)
    gold, without = [], []
    for _ in range(repeat):
        gold.append(built(dbt, folder, *GOLD))
        without.append(built(straight, folder, gold[-1].statements))
    spilling = built(straight, folder, gold[-1].statements, LITTLE_MEMORY)
    file_mb = sum(file.stat().st_size for file in (folder / "warehouse").glob("*.duckdb")) / 2**20
    return Measured(rows, first, increment, delivered, gold, without, spilling, file_mb)


def run(options: Options) -> Result:
    sizes = options.pick([SMALL, TENFOLD, HUNDREDFOLD, SIZES["large"]], [SIZES["tiny"]])
    worlds = {}
    for size in sizes:
        folder = options.folder / size.name
        folder.mkdir()
        worlds[size.name] = measure(
            folder, size, options.repeat if size is sizes[-1] else 1, second_night=not options.quick
        )
    large = worlds[sizes[-1].name]
    ours, theirs = ([_taken(each) for each in builds] for builds in (large.gold, large.straight))
    clock, cpu = (
        Series(f"Gold by dbt / the same statements without it, by {by}", "×", ratios(ours, theirs, attribute))
        for by, attribute in (("the clock", "seconds"), ("the processors", "cpu"))
    )
    return Result(
        figures=[
            Figure(
                "ratio",
                "Gold, world large: dbt's time by that of its statements alone",
                clock.median,
                "×",
                "≤ 1.5",
            ),
            Figure("ratio_cpu", "the same by processors' time", cpu.median, "×"),
            *_figures(large),
        ],
        series=[
            clock,
            cpu,
            Series("Gold by dbt, without its start-up", "s", [each.seconds for each in large.gold]),
            Series("Gold, the same statements without dbt", "s", [each.seconds for each in large.straight]),
            Series("Gold by dbt, processors", "s", [each.cpu for each in large.gold]),
            Series("Gold, the same statements without dbt, processors", "s", [each.cpu for each in large.straight]),
            Series("dbt's start-up and end", "s", [each.wall - each.seconds for each in large.gold]),
        ],
        curves=_curves(sorted(worlds.values(), key=lambda world: world.tickets)),
        inputs={
            "seed": SEED,
            "threads": int(THREADS),
            "memory_limit": MEMORY,
            **{name: _said(world) for name, world in worlds.items()},
        },
        remarks=[
            "Two threads of dbt send two statements at a time, the bare connection sends one. Both leave each to "
            "as many cores as there are, so dbt's threads gain something only where a statement leaves a core idle.",
            "Landing and load were not timed here: without a wire their time says nothing about a night.",
            f"Longest of Gold, without dbt: {_slowest(large.straight[-1])}.",
            f"Longest of Silver from nothing, two at a time: {_slowest(large.first)}.",
        ],
    )


def _taken(build: Build) -> Taken:
    return Taken(build.seconds, build.cpu, build.peak_mb)


def _said(world: Measured) -> str:
    rows = ", ".join(f"{count:,} {stream}" for stream, count in world.rows.items() if count >= LARGE_STREAM)
    return f"{rows}; {sum(world.delivered.values()):,} rows the night after"


def _slowest(build: Build) -> str:
    ordered = sorted(build.models.items(), key=lambda model: -model[1])
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in ordered[:6])


def _figures(large: Measured) -> list[Figure]:
    return [
        Figure("tickets", "tickets of the large world", large.tickets),
        Figure("gold_seconds", "Gold of the large world by dbt", _median([b.seconds for b in large.gold]), "s"),
        Figure("gold_memory", "memory of dbt at most, Gold", max(b.peak_mb for b in large.gold), "MB"),
        Figure("straight_memory", "memory at most without dbt", max(b.peak_mb for b in large.straight), "MB"),
        Figure("spilling_memory", f"memory at most without dbt, held to {LITTLE_MEMORY}", large.spilling.peak_mb, "MB"),
        Figure(
            "spilling",
            f"Gold without dbt, held to {LITTLE_MEMORY} of memory, by held to {MEMORY}, processors",
            large.spilling.cpu / _median([b.cpu for b in large.straight]),
            "×",
        ),
        Figure("silver_first", "Silver of the large world from nothing", large.first.seconds, "s"),
        Figure("silver_memory", "memory of dbt at most, Silver from nothing", large.first.peak_mb, "MB"),
        Figure("silver_night", "Silver of the large world, a night's news", large.increment.seconds, "s"),
        Figure("file", "both DuckDB files of the large world", large.file_mb, "MB"),
    ]


def _median(values: Sequence[float]) -> float:
    return Series("", "", values).median


def _curves(worlds: Sequence[Measured]) -> list[Curve]:
    def line(value: str) -> list[tuple[float, float]]:
        return [(world.tickets, values[value]) for world, values in zip(worlds, points, strict=True)]

    points = [
        {
            "Silver from nothing": world.first.seconds,
            "Silver, a night's news": world.increment.seconds,
            "Gold by dbt": _median([each.seconds for each in world.gold]),
            "Gold without dbt": _median([each.seconds for each in world.straight]),
            "Silver from nothing, memory": world.first.peak_mb,
            "Gold, memory": max(each.peak_mb for each in world.gold),
            "files": world.file_mb,
        }
        for world in worlds
    ]
    timed = ("Silver from nothing", "Silver, a night's news", "Gold by dbt", "Gold without dbt")
    sized = ("Silver from nothing, memory", "Gold, memory", "files")
    return [
        Curve("Silver and Gold by tickets", "tickets", "seconds", {name: line(name) for name in timed}),
        Curve("Memory and files by tickets", "tickets", "MB", {name: line(name) for name in sized}),
    ]
