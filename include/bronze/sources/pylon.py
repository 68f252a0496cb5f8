"""Pylon's REST API: how its streams are read, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from include.bronze.batch import Window, iso
from include.bronze.sources.http import Api, GoneError, Page, UnansweredError
from include.bronze.streams import Stream

BASE_URLS = {"us": "https://api.usepylon.com", "eu": "https://api.eu.usepylon.com"}
# The vendor accepts 1,000 in some documents and fewer than 1,000 in others.
PAGE_SIZE = 999
# What asking for the children of a record that is gone has been seen to give.
GONE = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class _Pagination(msgspec.Struct):
    cursor: str | None = None
    has_next_page: bool = False


class _List(msgspec.Struct):
    data: list[dict[str, msgspec.Raw]] | None = None
    pagination: _Pagination | None = None


class _One(msgspec.Struct):
    data: dict[str, msgspec.Raw]


class _Me(msgspec.Struct):
    name: str


class _MeReply(msgspec.Struct):
    data: _Me


_read_list = msgspec.json.Decoder(_List).decode
_read_one = msgspec.json.Decoder(_One).decode
_read_me = msgspec.json.Decoder(_MeReply).decode


class Pylon:
    """One Pylon workspace."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def preflight(self, _streams: Sequence[Stream]) -> str:
        """Check the token and the region, and say whose workspace answered. Pylon's tokens name no permissions."""
        me, _ = self.api.call("GET", "/me", _read_me, bucket="GET /me")
        return f"Pylon workspace '{me.data.name}'"

    def pages(self, stream: Stream, asked: Window, parent: str | None = None) -> Iterator[Page]:
        """Every page of a stream over the range asked, or of the children of one parent."""
        method, path = stream.request.split(" ", 1)
        gone = GONE if parent is not None else frozenset()
        for parameters in stream.parameters:
            request = dict(parameters)
            if stream.is_paged:
                request["limit"] = PAGE_SIZE
            for field in stream.window_fields:
                values = [iso(asked.start), iso(asked.end)]
                request["filter"] = {"field": field, "operator": "time_range", "values": values}
            yield from self._scan(method, path.replace("{parent}", parent or ""), stream.request, request, gone)

    def find(self, stream: Stream, key: str) -> Page | None:
        """One record by its key, None if it is gone. A number in place of an id may answer with another record."""
        try:
            one, reply = self.api.call(
                "GET", f"/{stream.object}/{key}", _read_one, bucket=f"GET /{stream.object}/{{id}}"
            )
        except GoneError:
            return None
        if bytes(one.data[stream.record_key]).strip(b'"').decode() != key:
            return None
        return Page([one.data], reply)

    def _scan(
        self, method: str, path: str, bucket: str, request: dict[str, Any], gone: frozenset[int]
    ) -> Iterator[Page]:
        cursor: str | None = None
        seen: set[str] = set()
        number = 0
        while True:
            number += 1
            asked = request | ({"cursor": cursor} if cursor else {})
            # A search ignores a cursor in its query string and begins again, so it goes where the arguments are.
            sent: dict[str, Any] = {"body": asked} if method == "POST" else {"params": asked}
            page, reply = self.api.call(method, path, _whole_page, bucket=bucket, gone=gone, **sent)
            yield Page(page.data or [], reply)
            if page.pagination is None or not page.pagination.has_next_page:
                return
            cursor = page.pagination.cursor
            if not cursor or cursor in seen:
                raise UnansweredError(
                    f"{method} {path}: page {number} says there is a next page but its cursor does not move on; "
                    "the scan cannot be completed, run it again"
                )
            seen.add(cursor)


def _whole_page(body: bytes) -> _List:
    """A page that can be taken at its word. Empty is fine; a next page without any data is a known glitch."""
    page = _read_list(body)
    if page.data is None and page.pagination is not None and page.pagination.has_next_page:
        raise ValueError("a next page is announced but the data is missing")
    return page
