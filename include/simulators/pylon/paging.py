"""Pages and cursors. A cursor names the last record shown, so pages stay right while records come and go."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Key = tuple[int, ...]


class CursorError(ValueError):
    """The cursor is not one this endpoint gave out."""


@dataclass(slots=True)
class Page:
    rows: list[bytes]
    cursor: str | None = None  # of the next page, if there is one
    issue_id: str | None = None  # which the replies about one issue's survey answers repeat
    is_glitch: bool = False  # promises more pages, and has no data at all


def slice_page(
    items: Sequence[T], key: Callable[[T], Key], scope: str, cursor: str | None, limit: int
) -> tuple[Sequence[T], str | None]:
    """The items after a cursor, up to a limit, and the cursor to go on with. Items come in order of their key."""
    start = 0 if not cursor else bisect_right(items, _decode(scope, cursor), key=key)
    chunk = items[start : start + limit]
    more = start + limit < len(items)
    return chunk, _encode(scope, key(chunk[-1])) if more else None


def _encode(scope: str, after: Key) -> str:
    return urlsafe_b64encode(json.dumps([scope, *after]).encode()).decode()


def _decode(scope: str, cursor: str) -> Key:
    try:
        found, *after = json.loads(urlsafe_b64decode(cursor))
        if found != scope or not all(isinstance(part, int) for part in after):
            raise ValueError(cursor)
    except (ValueError, TypeError):
        raise CursorError("the cursor is not valid for this endpoint") from None
    return tuple(after)
