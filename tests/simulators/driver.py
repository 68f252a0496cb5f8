"""Ways to speak to the simulators: straight to an application in process, or to a served one over loopback."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from include.simulators.http import App, Request

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "sim-pylon-token"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


def ask(
    app: App,
    method: str,
    path: str,
    body: Any = None,
    *,
    query: dict[str, Any] | None = None,
    token: str | None = TOKEN,
    headers: dict[str, str] | None = None,
) -> Answer:
    given = {"user-agent": "tests", **(headers or {})}
    if token is not None:
        given["authorization"] = f"Bearer {token}"
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    target = f"{path}?{urlencode(query)}" if query else path
    response = app(Request.of(method, target, given, content))
    return Answer(response.status, response.headers, response.body)


def search_all(app: App, condition: dict[str, Any] | None = None, limit: int = 1000) -> list[dict[str, Any]]:
    """Every issue a filter matches, page after page."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        reply = ask(app, "POST", "/issues/search", {"filter": condition, "limit": limit, "cursor": cursor})
        assert reply.status == 200, reply.raw
        rows += reply.json.get("data", [])
        cursor = reply.json.get("pagination", {}).get("cursor")
        if cursor is None:
            return rows


def graphql(app: App, query: str, variables: dict[str, Any] | None = None, **asked: Any) -> Answer:
    body = {"query": query, "variables": variables or {}}
    return ask(app, "POST", "/graphql/v1", body, **{"token": "plainApiKey_sim", **asked})


@contextmanager
def served(data_dir: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A served simulator and the facts of its ready line; stopped, one way or another, at the end."""
    command = [sys.executable, "-m", "include.simulators", "serve", "--pylon-port", "0", "--plain-port", "0"]
    process = subprocess.Popen(
        [*command, "--data-dir", str(data_dir), *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().split()
        assert line[:1] == ["ready"], process.communicate()
        yield process, dict(part.split("=", 1) for part in line[1:])
    finally:
        process.kill()
        process.communicate()
