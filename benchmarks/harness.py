"""What the benchmarks share: how they take time, what they give back, and what they ran on."""

from __future__ import annotations

import importlib
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from operator import ge, le
from pathlib import Path
from typing import Any, TypeVar

from include.local.keeper import end_with_parent
from include.settings import REPO

T = TypeVar("T")
REPEAT = 5
# Peers whose pins do not fit the project's have an environment of their own.
PEERS = REPO / ".venv-bench" / "bin" / "python"
PACKAGES = ("apache-airflow", "astronomer-cosmos", "dbt-core", "dbt-duckdb", "duckdb", "pyarrow")
BOUNDS: Mapping[str, Callable[[float, float], bool]] = {"≤": le, "≥": ge}


@dataclass(frozen=True)
class Options:
    """How much to do, and where there is room for it."""

    folder: Path
    """An empty folder on a disk, removed afterwards."""
    quick: bool = False
    """Small inputs and one repetition, to see that it still works. Its numbers mean nothing."""

    @property
    def repeat(self) -> int:
        return 1 if self.quick else REPEAT

    def pick(self, full: T, quick: T) -> T:
        """The size of an input."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Series:
    """One thing measured several times."""

    name: str
    unit: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Figure:
    """A number that is claimed somewhere, with the bound it is to keep, if any."""

    key: str
    """Short and stable: documents refer to it as NAME.key."""
    text: str
    value: float
    unit: str = ""
    bound: str = ""
    """Such as "≤ 1.5" or "≥ 10", in the same unit."""
    remark: str = ""
    """If the bound is missed: why, and what was tried."""

    @property
    def reached(self) -> bool | None:
        if not self.bound:
            return None
        sign, limit = self.bound.split()
        return BOUNDS[sign](self.value, float(limit.replace(",", "")))


@dataclass(frozen=True)
class Curve:
    """How something grows: lines of points, to be drawn."""

    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    logarithmic: bool = True


@dataclass
class Result:
    """What a benchmark found."""

    figures: list[Figure] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    """What was fed in: rows, bytes, seeds, memory limits."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of peers that live in an environment of their own."""
    remarks: list[str] = field(default_factory=list)
    """What a reader has to know in order not to read too much into it."""

    def as_json(self) -> dict[str, Any]:
        return {
            "figures": [{**asdict(each), "reached": each.reached} for each in self.figures],
            "series": [{**asdict(each), "median": each.median} for each in self.series],
            "curves": [asdict(each) for each in self.curves],
            "inputs": self.inputs,
            "versions": self.versions,
            "remarks": self.remarks,
        }


@dataclass(frozen=True)
class Taken:
    """What one call took, its child processes with it."""

    seconds: float
    cpu: float
    peak_mb: float
    """Of the process as a whole up to then: use `apart` where it matters."""


def taken(work: Callable[[], object]) -> Taken:
    """Do it once and say what it took."""
    before = os.times()
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    after = os.times()
    cpu = sum(after[:4]) - sum(before[:4])
    return Taken(seconds, cpu, _peak_mb())


def in_turn(
    contenders: Mapping[str, Callable[[], object]], repeat: int, before: Callable[[], object] | None = None
) -> dict[str, list[Taken]]:
    """Each contender once for warmth, then A B A B …, so that a machine whose speed drifts is fair to all."""
    found: dict[str, list[Taken]] = {name: [] for name in contenders}
    for round_ in range(repeat + 1):
        for name, work in contenders.items():
            if before:
                before()
            one = taken(work)
            if round_:
                found[name].append(one)
    return found


def ratios(ours: Sequence[Taken], theirs: Sequence[Taken], attribute: str = "cpu") -> list[float]:
    """Ours by theirs, pair by pair."""
    return [getattr(a, attribute) / getattr(b, attribute) for a, b in zip(ours, theirs, strict=True)]


def apart(work: Callable[..., T], *arguments: Any) -> tuple[T, Taken]:
    """The same in a new process, so that nothing is warm and memory is of this call only. It ends with this one."""
    ended = (end_with_parent, (signal.SIGTERM,))
    with ProcessPoolExecutor(1, get_context("spawn"), *ended) as pool:
        return pool.submit(_reported, work, arguments).result()


def _reported(work: Callable[..., T], arguments: Sequence[Any]) -> tuple[T, Taken]:
    answer: list[T] = []
    took = taken(lambda: answer.append(work(*arguments)))
    return answer[0], took


def _peak_mb() -> float:
    """The most memory that this process, or one of its children that ended, has had."""
    # Linux hands what ru_maxrss says on to a new process, and only its own status begins anew.
    status = Path("/proc/self/status")
    if not status.exists():
        return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    own = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return max(int(own.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def measure(name: str, options: Options) -> Result:
    """Run a benchmark in this process. It is here because a new process does not find what `python -m` ran."""
    found: Result = importlib.import_module(f"benchmarks.{name}").run(options)
    return found


def surroundings() -> dict[str, Any]:
    """Where, when and on what it ran."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "processor": _processor(),
            "system": f"{platform.system()} {platform.release()}",
            "load_before": [round(each, 1) for each in os.getloadavg()],
        },
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def pace() -> float:
    """How quick the machine is just now, which on a shared one changes by the hour: seconds of a loop of Python."""
    started = time.process_time()
    sum(number * number for number in range(3_000_000))
    return round(time.process_time() - started, 3)


def git(*words: str) -> str:
    """What git says of this repository; nothing where there is no git."""
    return subprocess.run(["git", *words], cwd=REPO, capture_output=True, text=True, check=False).stdout.strip()


def _commit() -> str:
    commit = git("rev-parse", "--short", "HEAD")
    return f"{commit} and changes" if git("status", "--porcelain", "--", "include", "dags") else commit or "unknown"


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
