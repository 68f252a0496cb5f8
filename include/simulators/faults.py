"""Misbehaviour on demand: which requests go wrong, how, and how often."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from random import Random
from typing import Any


class FaultKind(StrEnum):
    TOO_MANY = "too_many"  # 429
    STATUS = "status"  # an error of the server: status, 500 unless given
    SLOW = "slow"  # seconds before the first byte
    CUT = "cut"  # the body ends half way
    INVALID_JSON = "invalid_json"
    RESET = "reset"  # the connection is reset without an answer
    GLITCH_PAGE = "glitch_page"  # more pages are promised, the rows are missing
    STUCK_CURSOR = "stuck_cursor"  # the cursor leads back to the page it came with
    EXPIRED_CURSOR = "expired_cursor"  # 400 for whoever brings one
    DUPLICATE_ROWS = "duplicate_rows"  # the last row of the page before comes again
    MISSING_ROWS = "missing_rows"  # the last row is left out, as when a page is cut while rows move
    MUTATE = "mutate"  # seconds pass in the world after the request
    FORBID = "forbid"  # 403: a permission was lost
    REVOKE = "revoke"  # 401: the token was revoked


_HELP = {
    "system": "pylon or plain",
    "endpoint": "like 'GET /issues/{id}/messages'; for plain a query's name, like 'threads'; '*' is any",
    "kind": [kind.value for kind in FaultKind],
    "count": "how many requests it hits, 1 unless given; -1 is every one until deleted",
    "after": "how many requests are let through first, 0 unless given",
    "probability": "the share of the remaining requests it hits, drawn from seed",
    "seconds": "for slow, mutate and the wait of too_many",
    "status": "for status: 500, 502, 503, …",
}


class FaultError(ValueError):
    """A fault that cannot be set; the message says why."""


@dataclass(slots=True)
class Fault:
    id: int
    system: str
    endpoint: str
    kind: FaultKind
    count: int = 1
    after: int = 0
    probability: float = 1.0
    seconds: float = 1.0
    status: int = 500
    seed: int = 0
    matched: int = 0
    fired: int = 0
    _draws: Random = field(default_factory=Random, repr=False)

    @property
    def is_spent(self) -> bool:
        return 0 <= self.count <= self.fired

    def hits(self, system: str, endpoint: str) -> bool:
        """Whether it strikes this request; counts it either way."""
        if self.is_spent or system != self.system or self.endpoint not in ("*", endpoint):
            return False
        self.matched += 1
        if self.matched <= self.after or self._draws.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def facts(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}


class Faults:
    """The faults that are set, in the order they were."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._next = 1

    def add(self, given: dict[str, Any]) -> Fault:
        unknown = sorted(
            set(given) - set(Fault.__dataclass_fields__) | set(given) & {"id", "matched", "fired", "_draws"}
        )
        if unknown:
            raise FaultError(f"unknown keys {unknown}; known are {_HELP}")
        if given.get("system") not in ("pylon", "plain") or given.get("kind") not in set(FaultKind):
            raise FaultError(f"system and kind are needed: {_HELP}")
        options = {"endpoint": "*", **given, "kind": FaultKind(given["kind"])}
        for name, kinds in (("count", int), ("after", int), ("status", int), ("seed", int)):
            if name in options and not isinstance(options[name], kinds):
                raise FaultError(f"{name} must be a whole number, not {options[name]!r}")
        for name in ("probability", "seconds"):
            if name in options and not isinstance(options[name], int | float):
                raise FaultError(f"{name} must be a number, not {options[name]!r}")
        fault = Fault(id=self._next, **options)
        fault._draws = Random(fault.seed)
        self._faults[fault.id] = fault
        self._next += 1
        return fault

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    def remove(self, fault_id: int | None = None) -> None:
        """Remove one, or all."""
        if fault_id is None:
            self._faults.clear()
        elif self._faults.pop(fault_id, None) is None:
            raise FaultError(f"there is no fault {fault_id}")

    def strike(self, system: str, endpoint: str) -> dict[FaultKind, Fault]:
        """What goes wrong with this request."""
        return {fault.kind: fault for fault in self._faults.values() if fault.hits(system, endpoint)}
