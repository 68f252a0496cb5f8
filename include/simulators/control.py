"""What a test or an operator steers the simulators with: everything under /_sim/, on both ports alike."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from itertools import islice
from typing import Any

import msgspec

from .clock import Clock
from .faults import FaultError, Faults
from .http import App, Request, Response
from .page import page, table
from .plain.api import PlainApi
from .pylon.api import PylonApi
from .rows import OBJECTS, current_rows
from .truth import Truth, as_json
from .world.plan import System
from .world.times import instant, iso
from .world.world import World


@dataclass(frozen=True, slots=True)
class Asked:
    """One request a vendor was asked."""

    index: int
    system: str
    method: str
    path: str
    query: dict[str, str]
    status: int
    rows: int
    clock: str
    body: Any = None  # of searches and GraphQL requests


class Journal:
    """Every request since the start, or since it was last cleared; indexes go on counting."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._count = 0

    def record(self, system: str, request: Request, response: Response, clock: Clock) -> None:
        self.asked.append(
            Asked(
                index=self._count,
                system=system,
                method=request.method,
                path=request.path,
                query=request.query,
                status=0 if response.reset else response.status,
                rows=response.rows,
                clock=iso(clock.now),
                body=_json_or_none(request.body),
            )
        )
        self._count += 1

    def clear(self) -> None:
        self.asked.clear()


class ControlError(ValueError):
    """A request to /_sim/ that makes no sense; the message is for the person who sent it."""


class Control:
    def __init__(
        self, world: World, clock: Clock, journal: Journal, faults: Faults, moved: Callable[[int, int], None]
    ) -> None:
        self.world = world
        self.clock = clock
        self.journal = journal
        self.faults = faults
        self.truth = Truth(world)
        self._moved = moved  # told from when to when the clock was moved
        self._vendors: dict[str, PylonApi | PlainApi] = {}
        self._routes: dict[tuple[str, str], Callable[[Request], object]] = {
            ("GET", "/_sim/clock"): self._clock,
            ("POST", "/_sim/clock"): self._move_clock,
            ("GET", "/_sim/requests"): self._requests,
            ("DELETE", "/_sim/requests"): self._clear_requests,
            ("GET", "/_sim/settings"): self._settings,
            ("POST", "/_sim/settings"): self._change_settings,
            ("GET", "/_sim/faults"): self._faults,
            ("POST", "/_sim/faults"): self._set_fault,
            ("DELETE", "/_sim/faults"): self._clear_faults,
            ("GET", "/_sim/truth/tickets"): self._true_tickets,
            ("GET", "/_sim/truth/tickets_daily"): self._true_tickets_daily,
            ("GET", "/_sim/truth/backlog"): self._true_backlog,
            ("GET", "/_sim/truth/csat_daily"): self._true_csat_daily,
            ("GET", "/_sim/truth/deletions"): self._true_deletions,
            ("GET", "/_sim/truth/rows"): self._true_rows,
            ("GET", "/_sim/truth/observed"): self._observed,
            ("GET", "/_sim/truth/observed_backlog"): self._observed_backlog,
        }

    def beside(self, vendor: PylonApi | PlainApi) -> App:
        """One application that answers for the vendor, and for us under /_sim/."""
        system = vendor.system.value
        self._vendors[system] = vendor

        def app(request: Request) -> Response:
            if request.path == "/_sim" or request.path.startswith("/_sim/"):
                return self._answer(request)
            response = vendor(request)
            self.journal.record(system, request, response, self.clock)
            return response

        return app

    def _answer(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        if path == "/_sim" and request.method == "GET":
            return Response(200, self._page(), {"content-type": "text/html; charset=utf-8"})
        route = self._routes.get((request.method, path))
        try:
            if route is None:
                return _json(404, {"error": f"no {request.method} {request.path} here", "try": sorted(self._paths())})
            return _json(200, route(request))
        except (ControlError, FaultError) as error:
            return _json(400, {"error": str(error)})

    def _paths(self) -> set[str]:
        return {f"{method} {path}" for method, path in self._routes}

    def _clock(self, _: Request) -> object:
        return {"now": iso(self.clock.now)}

    def _move_clock(self, request: Request) -> object:
        body, before = _object(request), self.clock.now
        match body:
            case {"now": str(text)}:
                try:
                    self.clock.set(instant(text))
                except ValueError as error:
                    raise ControlError(f"now: {error}") from None
            case {"advance_seconds": int() | float() as seconds}:
                self.clock.advance(seconds)
            case _:
                raise ControlError('send {"now": "2026-01-06T06:20:00Z"} or {"advance_seconds": 3600}')
        self._moved(before, self.clock.now)
        return self._clock(request)

    # -- settings

    def _settings(self, _: Request) -> object:
        return {name: vendor.settings for name, vendor in self._vendors.items()}

    def _change_settings(self, request: Request) -> object:
        """Change some settings of some vendors, like {"pylon": {"wait_header": "both"}}."""
        for name, given in _object(request).items():
            vendor = self._vendors.get(name)
            if vendor is None or not isinstance(given, dict):
                raise ControlError(f"send an object of settings for each of {sorted(self._vendors)}")
            known = asdict(vendor.settings)
            if set(given) - set(known):
                raise ControlError(f"{name} has no settings {sorted(set(given) - set(known))}; it has {sorted(known)}")
            try:
                vendor.change(known | given)
            except msgspec.ValidationError as error:
                raise ControlError(f"{name}: {error}") from None
        return self._settings(request)

    def _requests(self, request: Request) -> object:
        since = request.query.get("since", "0")
        if not since.isdigit():
            raise ControlError("since must be the index of a request, a whole number")
        return {"requests": [asdict(asked) for asked in self.journal.asked if asked.index >= int(since)]}

    def _clear_requests(self, _: Request) -> object:
        self.journal.clear()
        return {"requests": []}

    # -- faults

    def _faults(self, _: Request) -> object:
        return {"faults": [fault.facts() for fault in self.faults]}

    def _set_fault(self, request: Request) -> object:
        return self.faults.add(_object(request)).facts()

    def _clear_faults(self, request: Request) -> object:
        wanted = request.query.get("id")
        if wanted is not None and not wanted.isdigit():
            raise ControlError("id must be the number of a fault; without one all are removed")
        self.faults.remove(None if wanted is None else int(wanted))
        return self._faults(request)

    # -- truth

    def _true_tickets(self, request: Request) -> object:
        return {"tickets": _some(request, self.truth.tickets(self._at(request)))}

    def _true_tickets_daily(self, request: Request) -> object:
        return {"rows": self.truth.tickets_daily(self._at(request))}

    def _true_backlog(self, request: Request) -> object:
        at = self._at(request) if "at" in request.query else None
        return self.truth.backlog(_day(request), at)

    def _true_csat_daily(self, request: Request) -> object:
        return {"rows": self.truth.csat_daily(self._at(request))}

    def _true_deletions(self, request: Request) -> object:
        return {"deletions": _some(request, self.truth.deletions(self._at(request)))}

    def _true_rows(self, request: Request) -> object:
        name = request.query.get("object", "")
        try:
            rows = current_rows(self.world, name, self._at(request))
        except KeyError:
            raise ControlError(f"object must be one of {', '.join(OBJECTS)}, not {name!r}") from None
        return {"rows": _some(request, rows)}

    def _observed(self, request: Request) -> object:
        return {"tickets": _some(request, self.truth.observed(_polls(request)))}

    def _observed_backlog(self, request: Request) -> object:
        return self.truth.observed_backlog(_day(request), _polls(request))

    def _at(self, request: Request) -> int:
        return _instant(request, "at") if "at" in request.query else self.clock.now

    # -- the page

    def _page(self) -> bytes:
        now = self.clock.now
        snapshots = {system: self.world.snapshot(system, now) for system in System}
        size = self.world.size
        facts = [
            ("Size and seed", f"{size.name}, {self.world.seed}"),
            ("History", f"{iso(size.start)} to {iso(size.end)}"),
            ("Cut-over from Plain to Pylon", iso(size.cut_over)),
            *((f"Tickets to be seen in {system.value}", len(shown.tickets)) for system, shown in snapshots.items()),
            ("Requests asked", len(self.journal.asked)),
        ]
        newest = [
            (system.value, ticket.number, self.world.title(ticket), ticket.channel, iso(ticket.created))
            for system, shown in snapshots.items()
            for ticket in (self.world.tickets[index] for index in shown.tickets[:8])
        ]
        faults = [
            (f.id, f.system, f.endpoint, f.kind.value, f"{f.fired} of {f.count if f.count >= 0 else 'all'}")
            for f in self.faults
        ]
        asked = [
            (a.index, a.system, f"{a.method} {a.path}", a.status, a.rows) for a in reversed(self.journal.asked[-20:])
        ]
        return page(
            "Simulated vendors",
            iso(now),
            (
                ("World", table(("", ""), facts, "")),
                ("Faults", table(("Id", "System", "Endpoint", "Kind", "Struck"), faults, "None is set.")),
                ("Newest tickets", table(("System", "Number", "Title", "Channel", "Created"), newest, "None yet.")),
                ("Last requests", table(("Index", "System", "Request", "Status", "Rows"), asked, "None yet.")),
            ),
        )


def _json(status: int, content: object) -> Response:
    return Response(status, msgspec.json.encode(content), {"content-type": "application/json"})


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _object(request: Request) -> dict[str, Any]:
    body = _json_or_none(request.body)
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


def _instant(request: Request, name: str) -> int:
    return _read_instant(request.query.get(name, ""), name)


def _read_instant(text: str, name: str) -> int:
    try:
        # A plus sign of an offset arrives as a blank, unless the client took care.
        return instant(text.replace(" ", "+"))
    except ValueError as error:
        raise ControlError(f"{name}: {error}") from None


def _polls(request: Request) -> list[int]:
    given = request.query.get("polls", "")
    if not given:
        raise ControlError("polls must be one or more instants, with commas between")
    return [_read_instant(part, "polls") for part in given.split(",")]


def _day(request: Request) -> date:
    try:
        return date.fromisoformat(request.query.get("day", ""))
    except ValueError:
        raise ControlError("day must be a date like 2026-01-04") from None


def _some(request: Request, items: Iterable[object]) -> list[object]:
    """All of it, or a part: skip and limit, for worlds too large to ask for at once."""
    skip, limit = request.query.get("skip", "0"), request.query.get("limit", "")
    if not skip.isdigit() or (limit and not limit.isdigit()):
        raise ControlError("skip and limit must be whole numbers")
    part = islice(items, int(skip), int(skip) + int(limit) if limit else None)
    return [as_json(item) for item in part]
