"""Relay connections: keyset cursors, 25 by default, 100 at most, one direction at a time."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from graphql import GraphQLError

T = TypeVar("T")
Fields = dict[str, Any]

DEFAULT_PAGE = 25
MAX_PAGE = 100


def bad_input(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def connection(
    items: Sequence[T], name: str, key: Callable[[T], tuple[Any, str]], node: Callable[[T], Any], paging: Fields
) -> Fields:
    """One page of items that come in their order; a key is the value sorted by and the identifier."""
    forward, size = _direction(paging)
    start, stop = 0, len(items)
    keys = [key(item) for item in items] if paging.get("after") or paging.get("before") else []
    if paging.get("after"):
        start = _place(keys, name, paging["after"]) + 1
    if paging.get("before"):
        stop = _place(keys, name, paging["before"])
    if forward:
        stop = min(stop, start + size)
    else:
        start = max(start, stop - size)
    chunk = items[start:stop]
    cursors = [_encode(name, key(item)) for item in chunk]
    return {
        "edges": [{"cursor": cursor, "node": node(item)} for cursor, item in zip(cursors, chunk, strict=True)],
        "pageInfo": {
            "hasNextPage": stop < len(items),
            "hasPreviousPage": start > 0,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
        "totalCount": len(items),
    }


def _direction(paging: Fields) -> tuple[bool, int]:
    forwards = {name for name in ("first", "after") if paging.get(name) is not None}
    backwards = {name for name in ("last", "before") if paging.get(name) is not None}
    if forwards and backwards:
        raise bad_input("Cannot mix forward pagination (first, after) with backward pagination (last, before).")
    name = "last" if backwards else "first"
    size = paging.get(name)
    size = DEFAULT_PAGE if size is None else size
    if not 1 <= size <= MAX_PAGE:
        raise bad_input(f'Argument "{name}" must be between 1 and {MAX_PAGE}, got {size}.')
    return not backwards, size


def _encode(name: str, key: tuple[Any, str]) -> str:
    value, identifier = key
    return b64encode(json.dumps({f"{name}.key": value, f"{name}.id": identifier}).encode()).decode()


def _place(keys: list[tuple[Any, str]], name: str, cursor: str) -> int:
    """Where a cursor points, also when its item has gone or moved since: the place it would have now."""
    try:
        found = json.loads(b64decode(cursor, validate=True))
        value, identifier = found[f"{name}.key"], found[f"{name}.id"]
    except (ValueError, KeyError, TypeError):
        raise bad_input("The cursor is invalid.") from None
    wanted = (tuple(value) if isinstance(value, list) else value, identifier)
    if wanted in keys:
        return keys.index(wanted)
    ascending = len(keys) < 2 or keys[0] <= keys[-1]
    passed = sum(key < wanted for key in keys) if ascending else sum(key > wanted for key in keys)
    return passed - 1
