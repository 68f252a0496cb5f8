"""A simulated world in Bronze: by the product's own extraction and load, without a wire between.

The simulators are called as functions, where a run calls them over HTTP. A million messages are a hundred thousand
requests; the wire would take most of the time, and it is not what is measured with such a world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import requests

from include.bronze.extract import Source
from include.bronze.sources.http import Api, Credentials, GoneError, Reply, SourceError
from include.bronze.sources.plain import Plain
from include.bronze.sources.pylon import Pylon
from include.bronze.steps import Bronze, Connection, Plan
from include.settings import ClientStream, load_settings
from include.simulators.clock import Clock
from include.simulators.drops import Drops
from include.simulators.http import App, Request
from include.simulators.plain.api import PlainApi
from include.simulators.plain.api import Settings as PlainSettings
from include.simulators.pylon.api import PylonApi
from include.simulators.pylon.settings import Settings as PylonSettings
from include.simulators.world.sizes import Size
from include.simulators.world.world import World

T = TypeVar("T")
SEED = 7
FAR = datetime.max.replace(tzinfo=UTC)
GONE = frozenset({requests.codes.not_found, requests.codes.gone})


class WithoutWire(Api):
    """A simulated vendor that is called as a function."""

    def __init__(self, app: App, token: str, reading_clock: Callable[[], datetime]) -> None:
        super().__init__(Credentials("http://nowhere", token), reading_clock=reading_clock)
        self._app = app
        self._headers = {"authorization": f"Bearer {token}", "user-agent": "benchmark"}

    def call(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        *,
        bucket: str,  # noqa: ARG002 - nothing is limited here
        params: Any = None,
        body: Any = None,
        gone: frozenset[int] = frozenset(),
    ) -> tuple[T, Reply]:
        """Ask once: what fails here does so for good."""
        target = f"{path}?{urlencode(params)}" if params else path
        content = b"" if body is None else msgspec.json.encode(body)
        response = self._app(Request.of(method, target, self._headers, content))
        if response.status in gone | GONE:
            raise GoneError(f"{method} {path}")
        if response.status != requests.codes.ok:
            raise SourceError(f"{method} {path}: HTTP {response.status} {response.body[:500]!r}")
        request_id = response.headers.get("x-pylon-request-id") or response.headers["apigw-requestid"]
        return read(response.body), Reply(response.body, response.status, request_id, self.reading_clock(), None)


@dataclass(frozen=True)
class WorldsBronze(Bronze):
    """Bronze that reads from vendors in this process."""

    pylon: PylonApi = field(kw_only=True)
    plain: PlainApi = field(kw_only=True)

    def _source(self, stream: ClientStream, reading_clock: Callable[[], datetime]) -> Source:
        if stream.source.connection is None:
            return super()._source(stream, reading_clock)
        if stream.source.system == "plain":
            return Plain(WithoutWire(self.plain, self.plain.settings.token, reading_clock))
        return Pylon(WithoutWire(self.pylon, self.pylon.settings.token, reading_clock))

    @contextmanager
    def _lease(self, _stream: ClientStream) -> Iterator[None]:
        """Nothing is limited here."""
        yield


class Nights:
    """A world, and the nights in which it is loaded into a data folder."""

    def __init__(self, data_dir: Path, size: Size) -> None:
        self.data_dir = data_dir
        self.world = World(SEED, size)
        clock = data_dir / "simulators" / "clock.json"
        self._clock = Clock(clock, None, size.clock)
        self._drops = Drops(self.world)
        self._settings = load_settings({"SUPPORT_DATA_DIR": str(data_dir), "SUPPORT_CLOCK_FILE": str(clock)})
        pylon = PylonApi(self.world, self._clock, PylonSettings(limits=False))
        plain = PlainApi(self.world, self._clock, PlainSettings(limits=False))
        self._clients = [
            WorldsBronze(
                self._settings,
                self._settings.client(code),
                lambda _: Connection(),
                "a benchmark",
                pylon=pylon,
                plain=plain,
            )
            for code in ("core", "def")
        ]

    def load(self, run_id: str) -> dict[str, int]:
        """Whatever is new by the world's clock; how many rows of each stream."""
        self._drops.write(self._clock.now, self.data_dir / "drop")
        rows: dict[str, int] = {}
        for bronze in self._clients:
            plan = bronze.plan(FAR)
            self._extract(bronze, plan, run_id)
            for name, (loaded, _) in bronze.load_each(plan, run_id).items():
                rows[name] = sum(one.rows for one in loaded)
            bronze.record_attempts(item["batch_id"] for planned in plan.values() for item in planned)
        return rows

    def move_on(self) -> None:
        """To the next night."""
        self._clock.advance(timedelta(days=1).total_seconds())

    def _extract(self, bronze: Bronze, plan: Plan, run_id: str) -> None:
        """Each source in a process of its own, which has the world as it is now."""
        by_source: dict[str, Plan] = {}
        for name, planned in plan.items():
            by_source.setdefault(bronze.client.stream(name).source_name, {})[name] = planned
        context = get_context("fork")
        readers = [context.Process(target=bronze.extract_each, args=(part, run_id)) for part in by_source.values()]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
            if reader.exitcode:
                raise SystemExit("a source of the simulated world could not be read; what went wrong is said above")
