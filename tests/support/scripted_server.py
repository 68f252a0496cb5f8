"""A real HTTP server on loopback that replies as it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Scripted:
    """A server that gives the next reply of its script to each request, and keeps what it was asked."""

    url: str = ""
    script: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def reply(self, body: Any, status: int = 200, **headers: str) -> Scripted:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.append((status, body, named))
        return self


@contextmanager
def scripted_server(token: str | None = None) -> Iterator[Scripted]:
    """Serve until the block ends. With a token, a request without it is a bug of the test."""
    scripted = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            scripted.asked.append((self.command, self.path, body))
            assert token is None or self.headers["Authorization"] == f"Bearer {token}"
            status, content, headers = scripted.script.pop(0)
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *args: Any) -> None:
            return

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scripted.url = f"http://127.0.0.1:{listening.server_port}"
    try:
        yield scripted
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
