"""A small HTTP/1.1 server on loopback.

Why not a web framework: the simulators must misbehave on demand (a body cut short, a reset connection), which needs
hold of the socket itself. h11 does the parsing and the framing.
"""

import asyncio
import socket
import struct
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

from .faults import Fault, FaultKind


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @staticmethod
    def of(method: str, target: str, headers: dict[str, str], body: bytes) -> "Request":
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return Request(method, unquote(parts.path), query, headers, body)


@dataclass(slots=True)
class Response:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds before the first byte
    cut: bool = False  # promise the whole body, send half of it, hang up
    reset: bool = False  # hang up without a word
    rows: int = 0  # records in the reply, for the list of requests


App = Callable[[Request], Response]


def spoiled(response: Response, struck: Mapping[FaultKind, Fault]) -> Response:
    """What is left of a response once the faults of the wire have had their way."""
    if FaultKind.SLOW in struck:
        response.delay = struck[FaultKind.SLOW].seconds
    if FaultKind.INVALID_JSON in struck:
        response.body = response.body[:-1] + b",}"
    response.cut = FaultKind.CUT in struck
    response.reset = FaultKind.RESET in struck
    return response


class Server:
    """Serves one application on one loopback port."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._exchange(reader, writer)
        except (ConnectionError, h11.RemoteProtocolError):
            pass  # the client hung up or spoke no HTTP; there is nobody to tell
        finally:
            writer.close()

    def _respond(self, request: Request) -> Response:
        try:
            return self._app(request)
        except Exception:
            # A fault of ours, not one that was set: say so where it can be seen, and go on serving.
            traceback.print_exc()
            return Response(
                500, b"the simulator itself failed, see its standard error\n", {"content-type": "text/plain"}
            )

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    writer.write(connection.send(go_on) or b"")
                connection.receive_data(await reader.read(65_536))
            elif isinstance(event, h11.Request):
                head, body = event, bytearray()
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                response = self._respond(_request(head, bytes(body)))
                if response.delay:
                    await asyncio.sleep(response.delay)
                if not await _answer(connection, writer, head, response):
                    return
                if connection.our_state is not h11.DONE:
                    return
                connection.start_next_cycle()
            else:
                return


def _request(head: h11.Request, body: bytes) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    return Request.of(head.method.decode("ascii"), head.target.decode("latin-1"), headers, body)


async def _answer(
    connection: h11.Connection, writer: asyncio.StreamWriter, head: h11.Request, response: Response
) -> bool:
    """Send a response; false if the connection is no longer fit for another."""
    if response.reset:
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False
    headers = {"content-length": str(len(response.body)), **response.headers}
    reason = HTTPStatus(response.status).phrase.encode()
    start = h11.Response(status_code=response.status, headers=list(headers.items()), reason=reason)
    writer.write(connection.send(start) or b"")
    if head.method == b"HEAD":
        body = b""
    elif response.cut:
        body = response.body[: len(response.body) // 2]
    else:
        body = response.body
    if body:
        writer.write(connection.send(h11.Data(data=body)) or b"")
    if response.cut:
        await writer.drain()
        return False
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    return True
