"""What a test or an operator steers the simulators with: everything under /_sim/, on both ports alike."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from .clock import Clock
from .http import App, Request, Response
from .world.times import instant, iso


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
    def __init__(self, clock: Clock, journal: Journal) -> None:
        self.clock = clock
        self.journal = journal
        self._routes: dict[tuple[str, str], Callable[[Request], object]] = {
            ("GET", "/_sim/clock"): self._clock,
            ("POST", "/_sim/clock"): self._move_clock,
            ("GET", "/_sim/requests"): self._requests,
            ("DELETE", "/_sim/requests"): self._clear_requests,
        }

    def beside(self, system: str, vendor: App) -> App:
        """One application that answers for the vendor, and for us under /_sim/."""

        def app(request: Request) -> Response:
            if request.path == "/_sim" or request.path.startswith("/_sim/"):
                return self._answer(request)
            response = vendor(request)
            self.journal.record(system, request, response, self.clock)
            return response

        return app

    def _answer(self, request: Request) -> Response:
        route = self._routes.get((request.method, request.path.rstrip("/") or "/"))
        try:
            if route is None:
                return _json(404, {"error": f"no {request.method} {request.path} here", "try": sorted(self._paths())})
            return _json(200, route(request))
        except ControlError as error:
            return _json(400, {"error": str(error)})

    def _paths(self) -> set[str]:
        return {f"{method} {path}" for method, path in self._routes}

    def _clock(self, _: Request) -> object:
        return {"now": iso(self.clock.now)}

    def _move_clock(self, request: Request) -> object:
        body = _object(request)
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
        return self._clock(request)

    def _requests(self, request: Request) -> object:
        since = request.query.get("since", "0")
        if not since.isdigit():
            raise ControlError("since must be the index of a request, a whole number")
        return {"requests": [asdict(asked) for asked in self.journal.asked if asked.index >= int(since)]}

    def _clear_requests(self, _: Request) -> object:
        self.journal.clear()
        return {"requests": []}


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
