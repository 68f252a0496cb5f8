"""fakesnow's server with Snowflake's manners: SQL errors are answers, sessions end, and tests can script refusals."""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import duckdb
import fakesnow.server
from fakesnow.conn import FakeSnowflakeConnection
from snowflake.connector.errors import ProgrammingError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LOGIN = "login"


@dataclass
class Refusal:
    """What the next matching statements are answered with."""

    matching: str
    errno: int
    sqlstate: str
    message: str
    times: int


refusals: list[Refusal] = []
answered: dict[str, bytes] = {}
turns: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)


def refuse(statement: str) -> Refusal | None:
    """The refusal a test has scripted for a statement, used up once."""
    for refusal in refusals:
        if re.search(refusal.matching, statement, re.IGNORECASE | re.DOTALL):
            refusal.times -= 1
            if not refusal.times:
                refusals.remove(refusal)
            return refusal
    return None


def check_refusals(statement: str) -> None:
    if refusal := refuse(statement):
        raise ProgrammingError(msg=refusal.message, errno=refusal.errno, sqlstate=refusal.sqlstate)


class Sessions(dict[str, FakeSnowflakeConnection]):
    """A session that ends undoes what it has not committed, and takes its temporary tables along."""

    def __delitem__(self, token: str) -> None:
        session = self.pop(token)
        roll_back(session)
        for table in getattr(session, "temporary", ()):
            with suppress(duckdb.Error):
                session._duck_conn.execute(f"drop table if exists {table}")
        session.close()


def roll_back(session: FakeSnowflakeConnection) -> None:
    with suppress(duckdb.TransactionException):
        session._duck_conn.rollback()
    session._in_transaction = False


fakesnow.server.sessions = Sessions()


async def emulator(scope: Message, receive: Receive, send: Send) -> None:
    """The whole server, as ASGI wants it."""
    if scope["type"] != "http":
        await fakesnow.server.app(scope, receive, send)
    elif scope["path"].startswith("/emulator/"):
        _control(scope["path"].removeprefix("/emulator/"), json.loads(await _read(receive) or b"{}"))
        await _answer(send, {})
    elif scope["path"].endswith("login-request") and (refusal := refuse(LOGIN)):
        # A login is refused by a code of its own; the connector makes its own error of it.
        await _answer(
            send,
            {"success": False, "code": str(refusal.errno), "message": refusal.message, "data": {"authnMethod": ""}},
        )
    else:
        # fakesnow has one DuckDB connection per session, which does one thing at a time.
        async with turns[dict(scope["headers"]).get(b"authorization", b"")]:
            # A request that comes again, because its answer was lost, is answered and not executed a second time.
            request = parse_qs(scope["query_string"].decode()).get("requestId", [""])[0]
            if request in answered:
                await _send(send, answered[request])
            else:
                await _corrected(scope, receive, send, request)


def _control(action: str, facts: dict[str, Any]) -> None:
    if action == "fail":
        refusals.append(Refusal(**facts))
    elif action == "expire":
        for session in fakesnow.server.sessions.values():
            roll_back(session)


async def _corrected(scope: Message, receive: Receive, send: Send, request: str) -> None:
    """Pass a request on, and correct what is answered."""
    started: Message = {}
    content = b""

    async def collect(message: Message) -> None:
        nonlocal started, content
        if message["type"] == "http.response.start":
            started = message
            return
        content += message.get("body", b"")
        if not message.get("more_body"):
            corrected = _correct_answer(scope["path"], started, content)
            if request and scope["path"].endswith("query-request"):
                answered[request] = corrected
            started["headers"] = [
                *((name, value) for name, value in started["headers"] if name != b"content-length"),
                (b"content-length", str(len(corrected)).encode()),
            ]
            await send(started)
            await send({"type": "http.response.body", "body": corrected})

    await fakesnow.server.app(scope, receive, collect)


def _correct_answer(path: str, started: Message, content: bytes) -> bytes:
    if started["status"] == 500 and path.startswith("/queries/"):
        # fakesnow answers what it did not foresee with 500, which the connector takes for a passing trouble of the
        # server: it would send the statement again for ever. Snowflake answers 200 and says what is wrong.
        started["status"] = 200
        said = content.decode(errors="replace")
        with suppress(ValueError, KeyError):
            said = json.loads(content)["message"]
        failed = {"errorCode": "100183", "sqlState": "XX000"}
        return json.dumps({"data": failed, "code": "100183", "message": said[:4000], "success": False}).encode()
    if path.endswith("login-request") and started["status"] == 200:
        answer = json.loads(content)
        answer["data"] = {"sessionId": 1, "masterToken": "master", "validityInSeconds": 3600} | answer["data"]
        answer["data"] |= {"masterValidityInSeconds": 14400, "displayUserName": "LOADER"}
        return json.dumps(answer).encode()
    return content


async def _read(receive: Receive) -> bytes:
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            return content


async def _answer(send: Send, body: dict[str, Any]) -> None:
    await _send(send, json.dumps(body).encode())


async def _send(send: Send, content: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
