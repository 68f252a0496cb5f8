"""Run the tests at large counts, portion by portion, and record each in benchmarks/campaign.

    python -m tests.campaign                            every suite, with the counts that were asked for
    python -m tests.campaign gold bronze                some of them
    python -m tests.campaign bronze --seed 7            the portions with that seed: how a failure is played again
    python -m tests.campaign gold --count intervals=50  fewer or more of a part
    python -m tests.campaign nights --budget 60         no new portion after so many minutes
    python -m tests.campaign nights --resume            only what is not recorded yet, or failed
    python -m tests.campaign nights --jobs 2            two portions at a time
    python -m tests.campaign --list

The exit code is 0 when nothing failed. A portion is a run of pytest with the seed and the counts in its environment, so
what failed can also be run alone, by the command that is printed.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock
from xml.etree import ElementTree

from benchmarks.harness import git, surroundings
from include.settings import REPO
from tests.campaign import page, record
from tests.campaign.record import FOLDER, Failure, Played
from tests.campaign.suites import SUITES, Portion, Suite

LONGEST_WORDS = 2_000
ALL_RAN = (0, 1)
# Where a file lies on this machine is nobody's business: its name is enough.
PATH = re.compile(r"(?<![\w.])/(?:[\w.+-]+/)+(?=[\w.+-])")
LOGS = REPO / ".data" / "campaign"
PRODUCT = ("include", "dags", "plugins", "requirements.txt", "constraints.txt")


def play(portion: Portion, folder: Path, log: Path) -> Played:
    """Run a portion's tests in a folder."""
    report = folder / "report.xml"
    options = ["-q", "-o", "junit_family=xunit1", f"--junit-xml={report}", f"--basetemp={folder / 'data'}"]
    machine, commit = surroundings()["machine"], revision()
    at, started = datetime.now(UTC), time.monotonic()
    with log.open("wb") as said:
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *portion.tests, *options],
            cwd=REPO,
            env=os.environ | portion.environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
        )
    done, failures = read_report(report, portion.gives, ended.returncode)
    return Played(
        portion.name,
        portion.seed,
        at.isoformat(timespec="seconds"),
        commit,
        f"{machine['cores']} cores, {machine['memory_gb']:.0f} GB, {machine['processor']}",
        round(time.monotonic() - started, 1),
        done,
        tuple(failures),
    )


def revision() -> str:
    """The last commit that changed the product, which is what was tested: a record of that is a commit, too."""
    commit = git("log", "-1", "--format=%h", "--", *PRODUCT) or "unknown"
    return f"{commit} and changes" if git("status", "--porcelain", "--", *PRODUCT) else commit


def read_report(path: Path, gives: Mapping[str, int], code: int) -> tuple[dict[str, int], list[Failure]]:
    """How many cases of each part were run, and what failed."""
    if code not in ALL_RAN or not path.is_file():
        return dict.fromkeys(gives, 0), [Failure("pytest", f"it ended with exit code {code} before all tests had run")]
    cases = list(ElementTree.parse(path).getroot().iter("testcase"))  # noqa: S314 - pytest wrote it
    counted = {part: [] for part in gives}  # type: dict[str, list[int]]
    failures: list[Failure] = []
    for case in cases:
        for each in case.iter("property"):
            if each.get("name") in counted:
                counted[str(each.get("name"))].append(int(str(each.get("value"))))
        for kind in ("failure", "error"):
            for found in case.findall(kind):
                said = PATH.sub("", f"{found.get('message')}\n{(found.text or '')[-LONGEST_WORDS:]}")
                failures.append(Failure(f"{case.get('classname')}::{case.get('name')}", said))
    if not cases:
        failures.append(Failure("pytest", "there was no test to run"))
    return {part: sum(counted[part]) if counted[part] else many for part, many in gives.items()}, failures


def again(suite: str, portion: Portion) -> str:
    """How to run a portion again, and how without the campaign."""
    setting = " ".join(f"{name}={shlex.quote(value)}" for name, value in portion.environment.items())
    tests = shlex.join(portion.tests)
    return f"make test-campaign SUITE={suite} SEED={portion.seed}\n      or {setting} python -m pytest {tests}"


def run(
    suite: Suite,
    portions: Sequence[Portion],
    until: float,
    jobs: int = 1,
    folder: Path = FOLDER,
    logs: Path = LOGS,
    publish: Callable[[], object] = lambda: page.main([]),
) -> bool:
    """Play portions, so many at a time, and record each; whether all of them were good."""
    logs.mkdir(parents=True, exist_ok=True)
    one_at_a_time, interrupted = Lock(), Event()

    def begin(portion: Portion) -> bool | None:
        name = f"{portion.name}, seed {portion.seed}"
        if time.monotonic() > until or interrupted.is_set():
            return None
        print(f"  {name} …", flush=True)
        log, scratch = (
            logs / f"{suite.name}-{portion.name}-{portion.seed}.log",
            Path(tempfile.mkdtemp(prefix="campaign-")),
        )
        played = play(portion, scratch, log)
        if interrupted.is_set():  # Ctrl-C reached its tests, too: that is no result
            shutil.rmtree(scratch, ignore_errors=True)
            return None
        with one_at_a_time:
            record.write(record.read(suite.name, folder).with_(played), folder)
            publish()
            tell(name, played)
            if played.failures:
                print(f"    again: {again(suite.name, portion)}\n    what it said: {log}; what it left: {scratch}")
        if not played.failures:
            shutil.rmtree(scratch, ignore_errors=True)
        return not played.failures

    with ThreadPoolExecutor(jobs) as several:
        try:
            ended = list(several.map(begin, portions))
        except KeyboardInterrupt:
            interrupted.set()
            raise
    if None in ended:
        print(f"  the time is up, with {ended.count(None)} portions left; --resume goes on from here", flush=True)
    return False not in ended


def tell(name: str, played: Played) -> None:
    """Say what came of a portion."""
    done = ", ".join(f"{many} {part}" for part, many in played.done.items())
    print(f"  {name}: {done} in {played.seconds:.0f} s, {len(played.failures) or 'none'} failed", flush=True)
    for failure in played.failures:
        print(f"    {failure.test}\n      {failure.said.strip().splitlines()[0]}")


def counts(given: Sequence[str], suites: Sequence[Suite]) -> dict[str, dict[str, int]]:
    """How many of each part of each suite: those asked for, but for what was given."""
    found = {suite.name: dict(suite.asked) for suite in suites}
    for text in given:
        part, _, number = text.partition("=")
        those = [asked for asked in found.values() if part in asked]
        if not those or not number.isdigit():
            known = sorted({part for asked in found.values() for part in asked})
            raise ValueError(f"'{text}' is not PART=NUMBER with one of these parts: {', '.join(known)}")
        for asked in those:
            asked[part] = int(number)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m tests.campaign", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="which of them; all by default")
    parser.add_argument("--seed", type=int, help="only the portions with this seed")
    parser.add_argument(
        "--count", nargs="+", default=[], metavar="PART=NUMBER", help="another number of cases of a part"
    )
    parser.add_argument("--jobs", type=int, default=1, help="portions at a time: how many the machine has cores for")
    parser.add_argument("--budget", type=float, help="minutes after which no new portion is begun")
    parser.add_argument("--resume", action="store_true", help="leave out what is recorded and was good")
    parser.add_argument("--list", action="store_true", help="name the suites, their parts and counts")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs wants 1 or more")
    unknown = sorted(set(options.suites) - SUITES.keys())
    if unknown:
        parser.error(f"there is no suite {', '.join(unknown)}; there are {', '.join(SUITES)}")
    suites = [suite for suite in SUITES.values() if suite.name in (options.suites or SUITES)]
    if options.list:
        for suite in suites:
            print(
                f"{suite.name:8} {suite.asks}\n{'':8} {', '.join(f'{n:,} {part}' for part, n in suite.asked.items())}"
            )
        return 0
    try:
        asked = counts(options.count, suites)
    except ValueError as error:
        parser.error(str(error))
    until = time.monotonic() + 60 * options.budget if options.budget else float("inf")
    good = True
    for suite in suites:
        known = record.read(suite.name).good if options.resume else set()
        portions = [
            portion
            for portion in suite.portions(asked[suite.name])
            if options.seed in (None, portion.seed) and (portion.name, portion.seed) not in known
        ]
        if options.seed is not None and not portions:
            parser.error(f"no portion of {suite.name} has the seed {options.seed}")
        print(f"{suite.name}: {len(portions)} portions", flush=True)
        good = run(suite, portions, until, options.jobs) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
