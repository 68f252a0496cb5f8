"""Run benchmarks and publish what they found.

    python -m benchmarks                       all of them, into benchmarks/results, and the page and plots anew
    python -m benchmarks bronze_load gold      some of them
    python -m benchmarks --quick               tiny inputs, one repetition, nothing published: does it still work?
    python -m benchmarks --list

Each runs in a process of its own. Its numbers are worth something on a machine that does nothing else. Quick ones are
not, so two of those run side by side, and Cosmos' own modes, which take minutes with any input, are left out.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import benchmarks
from benchmarks.harness import PEERS, Options, Result, apart, measure, pace, surroundings
from include.settings import REPO

RESULTS = REPO / "benchmarks" / "results"
FRAME = {"__main__", "harness", "report"}
# It takes as long as all others together, so it must not be the last to begin where two run side by side.
LONGEST = "orchestration"


def names() -> list[str]:
    """Every benchmark, by the name of its module."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if not module.ispkg and module.name not in FRAME
    )


def run(name: str, place: Path | None, *, quick: bool) -> None:
    """Run one benchmark, tell what it found and publish it, or only that it works."""
    print(f"{name} …", flush=True)
    around, before = surroundings(), pace()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=place) as folder:
        result, _ = apart(measure, name, Options(Path(folder), quick))
    seconds = time.monotonic() - started
    around["machine"]["loop"] = [before, pace()]
    if quick:
        print(f"{name} works, {seconds:.0f} s", flush=True)
    else:
        show(name, result, seconds)
        publish(name, result, around, seconds)


def side_by_side(chosen: Sequence[str], place: Path | None) -> None:
    """Whether they work, two at a time, until one does not."""
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(run, name, place, quick=True) for name in sorted(chosen, key=lambda name: name != LONGEST)]
        try:
            for one in begun:
                one.result()
        finally:
            pool.shutdown(cancel_futures=True)


def publish(name: str, result: Result, around: dict[str, Any], seconds: float) -> None:
    RESULTS.mkdir(exist_ok=True)
    record = {"name": name, **around, "took_seconds": round(seconds, 1), **result.as_json()}
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def show(name: str, result: Result, seconds: float) -> None:
    """What a person at a terminal wants to see."""
    print(f"\n{name}: {seconds:.0f} s")
    for figure in result.figures:
        verdict = {True: "reached", False: "MISSED", None: ""}[figure.reached]
        bound = f"({figure.bound})" if figure.bound else ""
        print(f"  {figure.text}: {figure.value:,.4g} {figure.unit} {bound} {verdict}".rstrip())
    for series in result.series:
        low, high = min(series.values), max(series.values)
        print(f"  {series.name}: {series.median:,.4g} {series.unit} ({low:,.4g} to {high:,.4g})")


def report() -> int:
    """The page and the plots, from the results that are there."""
    return subprocess.run([str(PEERS), str(REPO / "benchmarks" / "report.py")], check=False).returncode


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which of them; all by default")
    parser.add_argument("--quick", action="store_true", help="see that they work; nothing is published")
    parser.add_argument("--list", action="store_true", help="name them and what each asks")
    parser.add_argument("--report", action="store_true", help="only write the page from the results that are there")
    parser.add_argument(
        "--folder", type=Path, help="a folder on the disk to be measured; the system's temporary one by default"
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(names()))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(names())}")
    if options.list:
        for name in names():
            print(f"{name:20} {(importlib.import_module(f'benchmarks.{name}').__doc__ or '').splitlines()[0]}")
        return 0
    if not options.report:
        chosen = options.names or names()
        if options.quick:
            side_by_side(chosen, options.folder)
        else:
            for name in chosen:
                run(name, options.folder, quick=False)
    return 0 if options.quick else report()


if __name__ == "__main__":
    sys.exit(main())
