"""Plain's endpoint: transport, credentials, limits and errors around the GraphQL schema."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    build_schema,
    execute,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from ..clock import Clock
from ..faults import Fault, FaultKind, Faults
from ..http import Request, Response, spoiled
from ..world import ids
from ..world.plan import System
from ..world.times import MINUTE, iso_ms
from ..world.world import World
from .people import Facts
from .permissions import ALL_PERMISSIONS, missing_permissions
from .queries import Queries

PATH = "/graphql/v1"
SDL = Path(__file__).with_name("schema.graphql").read_text()
_SINGLE_QUOTED = re.compile(r"'([^']*)'")
# graphql-core 3.3 words these two anew; the vendor's server still has the older words of graphql-js 16.
_DRIFT = """
type SimFutureEntry { simNote: String! }
extend union Entry = SimFutureEntry
"""
_NO_NAME = "Must provide operation name if query contains multiple operations."
_UNKNOWN_FIELD = re.compile(r'Expected value of type "(\w+)" not to include unknown field "(\w+)".*', re.DOTALL)
_BAD_VARIABLE = re.compile(r'^Variable "\$(\w+)" has invalid value(?: at ([.\w\[\]]+))?: ', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen about the vendor."""

    token: str = "plainApiKey_sim"  # noqa: S105 - opens a simulator only
    limits: bool = True
    per_minute: int = 450
    permissions: tuple[str, ...] = ALL_PERMISSIONS
    index_lag_seconds: int = 0
    spam_hidden: bool = False  # whether threads of spammers are left out unless asked for
    drift: bool = False  # timelines hold an entry of a type no client knows yet


class Refused(Exception):
    """The request as a whole fails with a GraphQL body."""

    def __init__(self, status: int, errors: list[dict[str, Any]], data: Any = None) -> None:
        super().__init__(status)
        self.status, self.errors, self.data = status, errors, data


class PlainApi:
    system = System.PLAIN

    def __init__(
        self,
        world: World,
        clock: Clock,
        settings: Settings,
        faults: Faults | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.world = world
        self.clock = clock
        self.settings = settings
        self.faults = faults or Faults()
        self.facts = Facts(world)
        self.schema = build_schema(SDL + (_DRIFT if settings.drift else ""))
        self._requests = 0
        self._now = now
        self._minute, self._spent = -1, 0
        self._found: dict[str, Any] = {}
        self._last_edges: dict[str, Any] = {}  # by query, for pages that repeat a row
        self._documents = lru_cache(maxsize=64)(self._document)

    def __call__(self, request: Request) -> Response:
        self._requests += 1
        headers = {
            "content-type": "application/json; charset=utf-8",
            "apigw-requestid": ids.uuid(self.world.seed, "plain-request", self._requests)[:15] + "=",
        }
        if not request.headers.get("user-agent"):
            return Response(403, b"error code: 1010", {"content-type": "text/plain"})
        if request.path == f"{PATH}/schema.graphql" and request.method == "GET":
            return Response(200, SDL.encode(), headers | {"content-type": "text/plain"})
        if request.headers.get("authorization") != f"Bearer {self.settings.token}":
            return Response(401, b'{"message":"Unauthorized"}', headers)
        if request.path != PATH or request.method != "POST":
            return Response(404, b'{"message":"Not Found"}', headers)
        struck: dict[FaultKind, Fault] = {}
        try:
            headers |= self._spend()
            query, variables, operation_name = _read(request.body)
            document = self._documents(query)
            operation = get_operation_ast(document, operation_name)
            if operation is None:
                message = f'Unknown operation named "{operation_name}".' if operation_name else _NO_NAME
                raise Refused(400, [_error(message, "BAD_USER_INPUT")])
            for name in _root_fields(operation):
                struck |= self.faults.strike("plain", name)
            if FaultKind.REVOKE in struck:
                return Response(401, b'{"message":"Unauthorized"}', headers)
            if FaultKind.STATUS in struck:
                status = struck[FaultKind.STATUS].status
                return Response(status, b"<html><body>upstream error</body></html>", {"content-type": "text/html"})
            if FaultKind.TOO_MANY in struck:
                raise self.too_many()
            if FaultKind.EXPIRED_CURSOR in struck and (variables.get("after") or variables.get("before")):
                raise Refused(400, [_error("The cursor has expired.", "BAD_USER_INPUT")])
            data, rows = self.run(document, operation, variables, struck)
        except Refused as refused:
            body: dict[str, Any] = {"errors": refused.errors}
            if refused.data is not None:
                body["data"] = refused.data
            response = Response(refused.status, msgspec.json.encode(body), headers | self._limit_headers())
            return spoiled(response, struck)
        if FaultKind.MUTATE in struck:
            self.clock.advance(struck[FaultKind.MUTATE].seconds)
        return spoiled(Response(200, data, headers, rows=rows), struck)

    def change(self, settings: dict[str, Any]) -> None:
        """Go on with other settings; the rate limit starts afresh."""
        self.settings = msgspec.convert(settings, Settings)
        self.schema = build_schema(SDL + (_DRIFT if self.settings.drift else ""))
        self._documents.cache_clear()
        self._found.clear()
        self._spent = 0

    # -- the steps of a request

    def _spend(self) -> dict[str, str]:
        minute = int(self._now() // 60)
        if minute != self._minute:
            self._minute, self._spent = minute, 0
        self._spent += 1
        if self.settings.limits and self._spent > self.settings.per_minute:
            raise self.too_many()
        return self._limit_headers()

    @staticmethod
    def too_many() -> Refused:
        return Refused(429, [_error("Too Many Requests - Rate limit exceeded", "RATE_LIMITED")])

    def _limit_headers(self) -> dict[str, str]:
        limit = self.settings.per_minute
        return {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - self._spent)),
            "x-ratelimit-reset": iso_ms((int(self._now() // 60) + 1) * MINUTE),
        }

    def run(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: dict[str, Any],
        struck: dict[FaultKind, Fault],
    ) -> tuple[bytes, int]:
        values = get_variable_values(self.schema, operation.variable_definitions or (), variables)
        if isinstance(values, list):
            raise Refused(400, [_error(error.message, "BAD_USER_INPUT", error) for error in values])
        granted = frozenset(self.settings.permissions)
        self._permit(document, granted if FaultKind.FORBID not in struck else frozenset())
        result = execute(
            self.schema,
            document,
            self._queries(),
            variable_values=variables,
            operation_name=operation.name.value if operation.name else None,
        )
        if not isinstance(result, ExecutionResult):
            raise TypeError("every resolver here answers at once")
        if result.errors:
            self._fail(result.errors)
        self._spoil(result.data, variables, struck)
        return msgspec.json.encode({"data": result.data}), _count(result.data)

    def _spoil(self, data: Any, variables: dict[str, Any], struck: dict[FaultKind, Fault]) -> None:
        for name, value in (data or {}).items():
            edges = value.get("edges") if isinstance(value, dict) else None
            if not isinstance(edges, list):
                continue
            last = self._last_edges.get(name)
            if edges:
                self._last_edges[name] = edges[-1]
            if FaultKind.DUPLICATE_ROWS in struck and last is not None and variables.get("after"):
                edges.insert(0, last)
            if FaultKind.MISSING_ROWS in struck:
                del edges[-1:]
            page = value.get("pageInfo")
            if page is not None and FaultKind.STUCK_CURSOR in struck and variables.get("after"):
                page.update(endCursor=variables["after"], hasNextPage=True)
            if page is not None and FaultKind.GLITCH_PAGE in struck:
                edges.clear()
                page["hasNextPage"] = True

    def _document(self, query: str) -> DocumentNode:
        try:
            document = parse(query)
        except GraphQLSyntaxError as error:
            raise Refused(400, [_error(error.message, "GRAPHQL_PARSE_FAILED", error)]) from None
        errors = validate(self.schema, document)
        if errors:
            raise Refused(400, [_error(error.message, "GRAPHQL_VALIDATION_FAILED", error) for error in errors])
        return document

    def _permit(self, document: DocumentNode, granted: frozenset[str]) -> None:
        missing = missing_permissions(self.schema, document, granted)
        if missing:
            errors = [
                _error(f'Insufficient permissions, missing "{permission}".', "FORBIDDEN") | {"path": list(path)}
                for permission, path in missing
            ]
            raise Refused(403, errors, {path[0]: None for _, path in missing})

    def _queries(self) -> Queries:
        at = self.clock.now - self.settings.index_lag_seconds * 1000
        settings = self.settings
        return Queries(
            self.facts, at, settings.permissions, self._found, spam_hidden=settings.spam_hidden, drift=settings.drift
        )

    def _fail(self, errors: list[GraphQLError]) -> None:
        """Bad arguments found while executing fail the whole request; anything else is a fault of ours."""
        for error in errors:
            if not (error.extensions or {}).get("code"):
                raise error.original_error or error
        raise Refused(400, [_error(error.message, "BAD_USER_INPUT", error) for error in errors])


def _read(content: bytes) -> tuple[str, dict[str, Any], str | None]:
    try:
        body = json.loads(content)
        query, variables = body["query"], body.get("variables") or {}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refused(400, [_error("POST body missing, invalid, or has no query.", "BAD_REQUEST")]) from None
    if not isinstance(query, str) or not isinstance(variables, dict):
        raise Refused(400, [_error("query must be a string and variables an object.", "BAD_REQUEST")])
    name = body.get("operationName")
    return query, variables, name if isinstance(name, str) and name else None


def _root_fields(operation: OperationDefinitionNode) -> list[str]:
    return [field.name.value for field in operation.selection_set.selections if isinstance(field, FieldNode)]


def _error(message: str, code: str, error: GraphQLError | None = None) -> dict[str, Any]:
    """An error in the words of graphql-js, which quotes names in double quotes."""
    message = _SINGLE_QUOTED.sub(r'"\1"', message)
    message = _UNKNOWN_FIELD.sub(r'Field "\2" is not defined by type "\1".', message)
    message = _BAD_VARIABLE.sub(lambda m: f'Variable "${m[1]}" got invalid value at "{m[1]}{m[2] or ""}"; ', message)
    found: dict[str, Any] = {"message": message}
    if error is not None and error.locations:
        found["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error is not None and error.path:
        found["path"] = list(error.path)
    found["extensions"] = {"code": code}
    return found


def _count(data: Any) -> int:
    """How many records a reply holds: the edges of its connections, or its objects."""
    if not isinstance(data, dict):
        return 0
    total = 0
    for value in data.values():
        if isinstance(value, dict):
            total += len(value["edges"]) if isinstance(value.get("edges"), list) else 1
    return total
