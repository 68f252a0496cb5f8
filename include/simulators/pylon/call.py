"""One request on its way to its endpoint, the way endpoints are found, and the error they fail with."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..http import Request
from ..world.world import World
from .issues import Issues
from .paging import Page
from .records import Records
from .settings import Settings


class ApiError(Exception):
    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers or {}


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request on its way to its endpoint."""

    world: World
    records: Records
    issues: Issues
    settings: Settings
    request: Request
    at: int
    name: str
    path: tuple[str, ...]  # the variable parts of the path

    @property
    def body(self) -> dict[str, Any]:
        if not self.request.body:
            return {}
        try:
            body = json.loads(self.request.body)
        except ValueError:
            raise ApiError(400, "invalid_request_body", "The request body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise ApiError(400, "invalid_request_body", "The request body must be a JSON object.")
        return body

    def limit(self, default: int, most: int, *, least: int = 1) -> int:
        given = self.body.get("limit") if self.request.method == "POST" else self.request.query.get("limit")
        if given is None or given == "":
            return default
        try:
            limit = int(given)
        except (TypeError, ValueError):
            raise ApiError(400, "invalid_request_body", f"limit must be a number, not {given!r}.") from None
        if not least <= limit <= most:
            raise ApiError(400, "invalid_request_body", f"limit must be between {least} and {most}.")
        return limit or default

    def cursor(self) -> str | None:
        """From the body of a search, from the query of a list; the other place is not looked at."""
        given = self.body.get("cursor") if self.request.method == "POST" else self.request.query.get("cursor")
        return given if isinstance(given, str) else None


Handler = Callable[[Call], Page | bytes]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    parts: tuple[str, ...]  # "*" stands for an identifier
    handler: Handler
    tier: int
    old_tier: int

    @property
    def name(self) -> str:
        return f"{self.method} /{'/'.join('{id}' if part == '*' else part for part in self.parts)}"

    def match(self, parts: list[str]) -> tuple[str, ...] | None:
        if len(parts) != len(self.parts):
            return None
        if any(mine not in ("*", given) for mine, given in zip(self.parts, parts, strict=True)):
            return None
        return tuple(given for mine, given in zip(self.parts, parts, strict=True) if mine == "*")
