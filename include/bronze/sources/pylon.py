"""Pylon's REST API: how each of its streams is read, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from include.bronze.batch import Window, iso
from include.bronze.sources.http import Api, Page, UnansweredError
from include.bronze.streams import Stream

BASE_URLS = {"us": "https://api.usepylon.com", "eu": "https://api.eu.usepylon.com"}
# The vendor accepts 1,000 in some documents and fewer than 1,000 in others.
PAGE_SIZE = 999


class _Pagination(msgspec.Struct):
    cursor: str | None = None
    has_next_page: bool = False


class _List(msgspec.Struct):
    data: list[dict[str, msgspec.Raw]] | None = None
    pagination: _Pagination | None = None


class _Me(msgspec.Struct):
    id: str
    name: str


class _MeReply(msgspec.Struct):
    data: _Me


_read_list = msgspec.json.Decoder(_List).decode
_read_me = msgspec.json.Decoder(_MeReply).decode


def preflight(api: Api) -> str:
    """Check the token and the region, and say whose workspace answered."""
    me, _ = api.call("GET", "/me", _read_me, bucket="GET /me")
    return me.data.name


def read(api: Api, stream: Stream, asked: Window) -> Iterator[Page]:
    """Every page of a stream over the range asked."""
    if stream.window_field:
        body = {
            "filter": {
                "field": stream.window_field,
                "operator": "time_range",
                "values": [iso(asked.start), iso(asked.end)],
            },
            "limit": PAGE_SIZE,
        }
        return _pages(api, "POST", f"/{stream.object}/search", stream.bucket, body)
    return _pages(api, "GET", f"/{stream.object}", stream.bucket, {"limit": PAGE_SIZE})


def _pages(api: Api, method: str, path: str, bucket: str, request: dict[str, Any]) -> Iterator[Page]:
    cursor: str | None = None
    seen: set[str] = set()
    number = 0
    while True:
        number += 1
        asked = request | ({"cursor": cursor} if cursor else {})
        # A search ignores a cursor in its query string and begins again, so it goes where the other arguments are.
        sent: dict[str, Any] = (
            {"body": asked} if method == "POST" else {"params": {k: str(v) for k, v in asked.items()}}
        )
        page, reply = api.call(method, path, _whole_page, bucket=bucket, **sent)
        yield Page(number, page.data or [], reply)
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
