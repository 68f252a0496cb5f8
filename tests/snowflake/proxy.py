"""A proxy on loopback that cuts connections where a test says so: before a request arrives, or before its answer does."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

# Whether a request is cut off, and whether the server still gets to see it.
Cut = Callable[[str], str | None]
BEFORE, AFTER = "before", "after"


@dataclass
class Proxy:
    """A running one. `cut` looks at every request's text and may say that it never arrives, or that its answer does not.

    Whoever is cut off once is cut off for good, as a machine is that has lost its network, until `mend`; or it was a
    glitch, and the next request gets through.
    """

    port: int
    cut: Cut | None = None
    is_glitch: bool = False
    cuts: int = 0
    is_broken: bool = False

    def mend(self) -> None:
        self.cut, self.is_broken = None, False


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Stand between a client and a server on loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    proxy = Proxy(listener.getsockname()[1])

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=_pass_on, args=(proxy, client, port), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield proxy
    finally:
        listener.close()


def _pass_on(proxy: Proxy, client: socket.socket, port: int) -> None:
    """Requests of one connection, one after the other, each with its answer."""
    with client, suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60) as server:
        while request := _message(client):
            head, body = request
            text = _text(head, body)
            when = BEFORE if proxy.is_broken else proxy.cut(text) if proxy.cut else None
            proxy.cuts += when is not None
            proxy.is_broken = when is not None and not proxy.is_glitch
            if when == BEFORE:
                return
            server.sendall(head + body)
            answer = _message(server)
            if when == AFTER or answer is None:
                return
            client.sendall(answer[0] + answer[1])


def _message(peer: socket.socket) -> tuple[bytes, bytes] | None:
    """One HTTP message, its head and its body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = peer.recv(1)
        if not byte:
            return None
        head += byte
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    body = b""
    while len(body) < length:
        some = peer.recv(length - len(body))
        if not some:
            return None
        body += some
    return head, body


def _text(head: bytes, body: bytes) -> str:
    if b"content-encoding: gzip" in head.lower():
        body = gzip.decompress(body)
    return head.decode(errors="replace") + body.decode(errors="replace")
