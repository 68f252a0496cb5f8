"""Plain's GraphQL API: how its streams are read. The documents lie beside this file, one per stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from include.bronze.batch import Window, iso
from include.bronze.sources.http import Api, GoneError, Page, RefusedError, SourceError, UnansweredError
from include.bronze.streams import Stream

BASE_URL = "https://core-api.uk.plain.com"
PATH = "/graphql/v1"
# The most the vendor gives.
PAGE_SIZE = 100
# The limit counts every request of a workspace together.
BUCKET = "workspace"


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Edge(msgspec.Struct):
    node: dict[str, msgspec.Raw]


class _Connection(msgspec.Struct, rename="camel"):
    edges: list[_Edge]
    page_info: _PageInfo


class _Holder(msgspec.Struct):
    page: _Connection


class _Data(msgspec.Struct):
    page: _Connection | None = None
    thread: _Holder | None = None


class _Extensions(msgspec.Struct):
    code: str = ""


class _Error(msgspec.Struct):
    message: str = ""
    extensions: _Extensions = msgspec.field(default_factory=_Extensions)


class _Answer(msgspec.Struct):
    data: _Data | None = None
    errors: list[_Error] = []


class _Workspace(msgspec.Struct):
    name: str


class _Permissions(msgspec.Struct):
    permissions: list[str]


class _Preflight(msgspec.Struct, rename="camel"):
    my_workspace: _Workspace
    my_permissions: _Permissions


class _PreflightAnswer(msgspec.Struct):
    data: _Preflight


_read_answer = msgspec.json.Decoder(_Answer).decode
_read_preflight = msgspec.json.Decoder(_PreflightAnswer).decode


@cache
def document(name: str) -> str:
    """The query of a stream."""
    return (Path(__file__).parent / f"{name}.graphql").read_text()


class Plain:
    """One Plain workspace."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def preflight(self, streams: Sequence[Stream]) -> str:
        """Check the key, and that it has every permission the streams need: one too few fails a whole request."""
        body = {"query": document("preflight"), "operationName": "Preflight"}
        answer, _ = self.api.call("POST", PATH, _read_preflight, bucket=BUCKET, body=body)
        wanted = {permission for stream in streams for permission in stream.permissions}
        missing = sorted(wanted - set(answer.data.my_permissions.permissions))
        if missing:
            raise RefusedError(
                f"the Plain key lacks {', '.join(missing)}; add them to the key in Plain's settings under Machine users"
            )
        return f"Plain workspace '{answer.data.my_workspace.name}'"

    def pages(self, stream: Stream, asked: Window, parent: str | None = None) -> Iterator[Page]:
        """Every page of a stream over the range asked, or of the children of one parent."""
        for parameters in stream.parameters:
            variables: dict[str, Any] = {"first": PAGE_SIZE, **parameters}
            if stream.window_fields:
                variables["filters"] = _any_of(stream.window_fields, asked)
            if parent is not None:
                variables["thread"] = parent
            yield from self._scan(stream, variables)

    def find(self, stream: Stream, key: str) -> Page | None:
        """Plain tells what was deleted, so nothing is looked for one by one."""
        raise NotImplementedError(f"{stream.object} {key}: Plain's deletions come from its own log")

    def _scan(self, stream: Stream, variables: dict[str, Any]) -> Iterator[Page]:
        cursor: str | None = None
        seen: set[str] = set()
        number = 0
        while True:
            number += 1
            body = {"query": document(stream.object), "variables": variables | {"after": cursor}}
            connection, reply = self.api.call("POST", PATH, _connection, bucket=BUCKET, body=body)
            if connection is None:
                raise GoneError(f"thread {variables.get('thread')} is not there any more")
            yield Page([edge.node for edge in connection.edges], reply)
            if not connection.page_info.has_next_page:
                return
            cursor = connection.page_info.end_cursor
            if not cursor or cursor in seen:
                raise UnansweredError(
                    f"Plain {stream.object}: page {number} says there is a next page but its cursor does not move on; "
                    "the scan cannot be completed, run it again"
                )
            seen.add(cursor)


def _any_of(fields: Sequence[str], asked: Window) -> dict[str, Any]:
    """A filter that any of the fields satisfies by lying in the window; `a.b` is field b of filter a."""
    window = {"after": iso(asked.start), "before": iso(asked.end)}
    filters: list[dict[str, Any]] = []
    for field in fields:
        outer, _, inner = field.partition(".")
        filters.append({outer: {inner: window} if inner else window})
    return filters[0] if len(filters) == 1 else {"or": filters}


def _connection(body: bytes) -> _Connection | None:
    """The page an answer holds, None if the thread it was asked of is gone. An answer with errors is no answer."""
    answer = _read_answer(body)
    for error in answer.errors:
        if error.extensions.code == "INTERNAL_SERVER_ERROR":
            raise ValueError("the vendor reports an internal error")
        if error.extensions.code in ("FORBIDDEN", "UNAUTHENTICATED"):
            raise RefusedError(f"Plain refused: {error.message}")
        raise SourceError(f"Plain did not accept a query: {error.extensions.code or 'no code'}")
    if answer.data is None:
        raise ValueError("the answer holds neither data nor errors")
    connection = answer.data.thread.page if answer.data.thread is not None else answer.data.page
    if connection is not None and not connection.edges and connection.page_info.has_next_page:
        raise ValueError("a next page is announced but this one is empty")
    return connection
