"""What an extraction costs: requests beside the fewest possible, time beside its own pace and beside a download.

The simulated vendors run on loopback in a process of their own, with every issue of the small world rendered before.
Requests are counted by the server. The fewest possible follow from what was delivered: for each batch its rows, the
overlap's among them, by the size of a page, and one at least; one for each parent at least. First everything a client
has in Pylon and Plain since the beginning is read, then one more night. Requests that only check a token and its
permissions, one for each stream, are given apart for the night. For the pace, one night's messages are read with the
configured gap of half a second and the vendors' limits on; the floor is the gap times the requests that follow another.
Last, limits and gap off: a year of issues and messages, against a client that sends the very same requests
(http.client, and again by requests, as most scripts would), throws the replies away and knows them all beforehand, over
one connection as the product does. These ratios are of seconds on the clock, as both sides wait for the server, whose
time is in both.
"""

from __future__ import annotations

import itertools
import json
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from benchmarks.bronze.vendors import Downloader, Session, Vendors, served
from benchmarks.harness import Figure, Options, Result, Series, in_turn, ratios, taken
from include.bronze.batch import Batch
from include.bronze.landing import Manifest
from include.bronze.sources import plain, pylon
from include.bronze.steps import Bronze, Plan
from include.bronze.streams import Coverage
from include.settings import ClientStream

ISSUES, MESSAGES = "pylon_issues", "pylon_messages"
CHECKS = ("GET /me", "Preflight")
PAGE_SIZES = {"pylon": pylon.PAGE_SIZE, "plain": plain.PAGE_SIZE}
UNTIL = datetime.max.replace(tzinfo=UTC)
NIGHT = timedelta(days=1)


def api_plan(steps: Bronze) -> Plan:
    """What each stream that is read from an API lacks."""
    return {name: items for name, items in steps.plan(UNTIL).items() if steps.client.stream(name).source.connection}


def read(steps: Bronze, plan: Plan, run_id: str) -> list[Manifest]:
    """Extract and load what is planned, as a night does: what was landed."""
    landed = steps.extract_each(plan, run_id)
    steps.load_each(plan, run_id)
    return [steps.landing.newest(Batch.parse(batch_id)) for ids in landed.values() for batch_id in ids]


def fewest(stream: ClientStream, manifest: Manifest) -> int:
    """How many requests a batch needs at least."""
    spec = stream.spec
    size = PAGE_SIZES[spec.system] if spec.is_paged else None
    if spec.coverage is Coverage.PARENT:
        return sum(_pages(scope.rows, size) for scope in manifest.coverage)
    return max(len(spec.parameters), _pages(manifest.rows, size))


def _pages(rows: int, size: int | None) -> int:
    return max(1, -(-rows // size)) if size else 1


def is_check(asked: dict[str, Any]) -> bool:
    """Whether a request only looked at the token."""
    if asked["system"] == "pylon":
        return f"{asked['method']} {asked['path']}" in CHECKS
    return asked["body"].get("operationName") in CHECKS


@dataclass(frozen=True)
class Counted:
    """The requests of a run, those of them that only looked at a token, and the fewest that can do."""

    made: int
    checks: int
    fewest: int


def counted(vendors: Vendors, steps: Bronze, plan: Plan, run_id: str) -> Counted:
    """Read what is planned, and count."""
    vendors.forget()
    manifests = read(steps, plan, run_id)
    asked = vendors.asked()
    least = sum(fewest(steps.client.stream(manifest.stream), manifest) for manifest in manifests)
    return Counted(len(asked), sum(map(is_check, asked)), least)


def again(client: Downloader | Session, asked: Iterable[tuple[str, str, bytes | None]]) -> None:
    """Send requests and throw the replies away."""
    for method, target, body in asked:
        client.download(method, target, body)


def sent(asked: Sequence[dict[str, Any]]) -> list[tuple[str, str, bytes | None]]:
    """Requests as they were sent, but for those that only checked a token."""
    return [
        (
            each["method"],
            each["path"] + (f"?{urlencode(each['query'])}" if each["query"] else ""),
            json.dumps(each["body"]).encode() if each["body"] else None,
        )
        for each in asked
        if not is_check(each)
    ]


def floor(steps: Bronze, manifest: Manifest) -> float:
    """How long a batch takes at least at the pace that is kept, were every reply there at once."""
    stream = steps.client.stream(manifest.stream)
    return (fewest(stream, manifest) - 1) * stream.source.minimum_gap.total_seconds()


def run(options: Options) -> Result:
    """Requests, pace, speed."""
    world = options.pick("small", "tiny")
    runs = (f"benchmark-{number}" for number in itertools.count())
    with served(options.folder / "vendors", world, "--limits", "off", "--warm") as vendors:
        steps = vendors.bronze(options.folder / "data", gap=0)
        plan = api_plan(steps)
        history = counted(vendors, steps, plan, next(runs))
        requests: dict[str, list[tuple[str, str, bytes | None]]] = {}
        for stream in (ISSUES, MESSAGES):
            vendors.forget()
            steps.extract(stream, plan[stream], next(runs), again=True)
            requests[stream] = sent(vendors.asked())
        with Downloader(vendors.pylon) as client, Session(vendors.pylon) as session:
            contenders: dict[str, Callable[[], object]] = {}
            for stream, asked in requests.items():
                contenders[f"{stream}, product"] = partial(_extract, steps, stream, plan, runs)
                contenders[f"{stream}, download"] = partial(again, client, asked)
                contenders[f"{stream}, download by requests"] = partial(again, session, asked)
            took = in_turn(contenders, options.repeat)

        vendors.advance(NIGHT)
        plan = api_plan(steps)
        night = counted(vendors, steps, plan, next(runs))
        vendors.limit()
        slow = vendors.bronze(options.folder / "data")
        paces = [taken(partial(_extract, slow, MESSAGES, plan, runs)) for _ in range(options.repeat)]
        least = floor(slow, slow.landing.newest(Batch.parse(plan[MESSAGES][0]["batch_id"])))

    speed = {
        stream: statistics.median(ratios(took[f"{stream}, download"], took[f"{stream}, product"], "seconds"))
        for stream in requests
    }

    def whole(download: str) -> float:
        """Of issues and messages together."""
        return statistics.median(
            sum(took[f"{stream}, {download}"][number].seconds for stream in requests)
            / sum(took[f"{stream}, product"][number].seconds for stream in requests)
            for number in range(options.repeat)
        )

    asked_for = "requests by the fewest possible"
    figures = [
        Figure("requests", f"{asked_for}, all of history", history.made / history.fewest, "times", "≤ 1.02"),
        Figure(
            "requests_night",
            f"{asked_for}, a night, checks of tokens apart",
            (night.made - night.checks) / night.fewest,
            "times",
            "≤ 1.02",
        ),
        Figure("requests_night_all", "the same with them", night.made / night.fewest, "times"),
        Figure(
            "pace",
            "time by the floor that the gap sets, clock",
            statistics.median(each.seconds for each in paces) / least,
            "times",
            "≤ 1.05",
        ),
        Figure(
            "speed",
            "speed by that of a download, issues and messages, clock",
            whole("download"),
            "times",
            "≥ 0.7",
            "beside `http.client`, the barest there is; beside a session of `requests` it is kept. What was tried and "
            "left is in docs/adr/052: at one request in half a second, the vendors' pace, it is nothing",
        ),
        Figure("speed_requests", "the same by a session of requests", whole("download by requests"), "times", "≥ 0.7"),
        *(Figure(f"speed_{stream}", f"of it {stream}", value, "times") for stream, value in speed.items()),
    ]
    series = [
        Series(f"{name}, {label}", "s", [getattr(each, attribute) for each in found])
        for name, found in took.items()
        for attribute, label in (("seconds", "clock"), ("cpu", "CPU"))
    ]
    series.append(Series(f"one night's messages at the pace, floor {least:g} s", "s", [each.seconds for each in paces]))
    inputs = {
        "world": world,
        "history": asdict(history),
        "night": asdict(night),
        "requests downloaded": {stream: len(asked) for stream, asked in requests.items()},
    }
    return Result(figures, series, inputs=inputs)


def _extract(steps: Bronze, stream: str, plan: Plan, runs: Iterator[str]) -> None:
    steps.extract(stream, plan[stream], next(runs))
