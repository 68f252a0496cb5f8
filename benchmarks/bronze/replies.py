"""Replies as Pylon would give them, made ahead of time, and a client that reads them from there instead of a server."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from include.bronze.batch import iso
from include.bronze.sources.http import Api, Credentials, Reply
from include.bronze.sources.pylon import PAGE_SIZE
from include.simulators.pylon.records import Records
from include.simulators.world.plan import System
from include.simulators.world.world import World

T = TypeVar("T")
SEED = 7
ISSUE_BYTES = 7_000
# Fields that a company adds to its tickets, as Pylon gives them: a value, or a value and the list of them.
OWN_FIELDS = 16
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)


class Replayed(Api):
    """Answers each call with the next of some replies: an API without a network and without limits."""

    def __init__(self, replies: Iterable[bytes]) -> None:
        super().__init__(Credentials("http://replayed.invalid", "none"), minimum_gap=timedelta())
        self._replies = iter(replies)

    def call(
        self,
        method: str,  # noqa: ARG002
        path: str,  # noqa: ARG002
        read: Callable[[bytes], T],
        *,
        bucket: str,  # noqa: ARG002
        params: Mapping[str, Any] | None = None,  # noqa: ARG002
        body: Any = None,  # noqa: ARG002
        gone: frozenset[int] = frozenset(),  # noqa: ARG002
    ) -> tuple[T, Reply]:
        """The next reply, as it would have been read."""
        self.requests += 1
        content = next(self._replies)
        request_id = f"00000000-0000-4000-8000-{self.requests:012d}"
        return read(content), Reply(content, 200, request_id, self.reading_clock(), None)


def files(paths: Iterable[Path]) -> Iterator[bytes]:
    """Replies that lie in files, one at a time."""
    return (path.read_bytes() for path in paths)


def issue_pages(folder: Path, count: int) -> list[Path]:
    """That many issues of about 7 KB, in files of one reply each."""
    folder.mkdir()
    paths: list[Path] = []
    for number, reply in enumerate(issue_replies(count)):
        paths.append(folder / f"{number:05d}.json")
        paths[-1].write_bytes(reply)
    return paths


def issue_replies(count: int) -> Iterator[bytes]:
    """That many issues of about 7 KB, as a search gives them: page by page."""
    for first in range(0, count, PAGE_SIZE):
        cursor = None if first + PAGE_SIZE >= count else f"after-{first}"
        yield _page(issues(first, min(PAGE_SIZE, count - first)), cursor)


def issues(first: int, count: int) -> list[bytes]:
    """Issues of the simulated company, each with an identity, a time, a long body and many fields of its own."""
    shapes, prose = _shapes()
    found = []
    for number in range(first, first + count):
        chance = random.Random(number)  # noqa: S311
        at = iso(FIRST + STEP * number)
        issue = shapes[number % len(shapes)] | {
            "id": identity("issue", number),
            "number": number,
            "link": f"https://app.usepylon.com/issues?issueNumber={number}",
            "created_at": at,
            "updated_at": at,
        }
        issue["custom_fields"] = (issue["custom_fields"] or {}) | {
            f"field_{each}": {
                "value": chance.choice(prose)[:40],
                "values": [str(number), f"option-{chance.random():.6f}"],
            }
            for each in range(OWN_FIELDS)
        }
        lacking = ISSUE_BYTES - len(msgspec.json.encode(issue))
        issue["body_html"] += _mail(chance, prose, lacking)
        found.append(msgspec.json.encode(issue))
    return found


def message_replies(parents: Iterable[int], each: int) -> Iterator[bytes]:
    """A reply per issue with all of its messages."""
    shapes, prose = _message_shapes()
    for parent in parents:
        chance = random.Random(parent)  # noqa: S311
        messages = []
        for number in range(each):
            at = iso(FIRST + STEP * parent + timedelta(minutes=7 * number))
            messages.append(
                chance.choice(shapes)
                | {
                    "id": identity(f"message-{parent}", number),
                    "timestamp": at,
                    "message_html": f"<p>{chance.choice(prose)}</p><p>{chance.choice(prose)} #{number}</p>",
                }
            )
        yield msgspec.json.encode({"data": messages, "request_id": "replayed"})


def identity(kind: str, number: int) -> str:
    """The same one for the same thing, and different from every other."""
    return str(uuid.UUID(int=random.Random(f"{kind} {number}").getrandbits(128), version=4))  # noqa: S311


def _page(records: list[bytes], cursor: str | None) -> bytes:
    more = b'"pagination":{"cursor":"%b","has_next_page":true},' % cursor.encode() if cursor else b""
    return b'{"data":[' + b",".join(records) + b"]," + more + b'"request_id":"replayed"}'


def _mail(chance: random.Random, prose: list[str], size: int) -> str:
    """HTML as mail programs write it, of about that many bytes."""
    style = 'style="margin:0 0 12px;font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:20px"'
    body: list[str] = []
    while size > 0:
        link = f'<a href="https://mail.example/c/{chance.getrandbits(400):x}">open</a>'
        body.append(f"<tr><td {style}>{chance.choice(prose)} {link}</td></tr>")
        size -= len(body[-1]) + 10  # quotes and letters beyond ASCII take more room in JSON
    return f"<table>{''.join(body)}</table>"


_made: dict[str, tuple[list[dict[str, Any]], list[str]]] = {}


def _shapes() -> tuple[list[dict[str, Any]], list[str]]:
    if "issues" not in _made:
        world = World(SEED, "tiny")
        records, at = Records(world), world.size.end
        found = [records.issue(world.state(index, at)) for index in world.snapshot(System.PYLON, at).tickets[:400]]
        _made["issues"] = [dict(each) for each in found], world.prose
    return _made["issues"]


def _message_shapes() -> tuple[list[dict[str, Any]], list[str]]:
    if "messages" not in _made:
        world = World(SEED, "tiny")
        records, at = Records(world), world.size.end
        states = [world.state(index, at) for index in world.snapshot(System.PYLON, at).tickets[:60]]
        found = [records.message(state, message) for state in states for message in state.messages]
        _made["messages"] = [dict(each) for each in found], world.prose
    return _made["messages"]
