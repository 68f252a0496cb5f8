"""One HTTP session for every source: pacing, retries, and errors a person can act on.

Tokens travel in a header and nowhere else: no URL, log line or error message holds one.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import certifi
import msgspec
import urllib3

log = logging.getLogger(__name__)

T = TypeVar("T")

USER_AGENT = "support-medallion/0.1 (+batch loader)"
REQUEST_ID_HEADERS = ("x-pylon-request-id", "apigw-requestid", "x-request-id")
WAIT_HEADERS = ("Retry-After", "X-Retry-After")
REMAINING_HEADERS = ("x-rate-limit-remaining", "x-ratelimit-remaining")


class SourceError(RuntimeError):
    """A source did not give what was asked. The message says what was asked, what came, and what to do."""


class RefusedError(SourceError):
    """The source understood and said no: the token, the region or a permission is wrong. Asking again will not help."""


class GoneError(SourceError):
    """The record asked for does not exist any more."""


class UnansweredError(SourceError):
    """The source kept failing until patience ran out. A later try may succeed."""


@dataclass(frozen=True)
class Credentials:
    """Where a source is and what opens it."""

    base_url: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Patience:
    """How long to keep asking one thing."""

    tries: int = 8
    first_wait: float = 0.5
    longest_wait: float = 60.0
    in_all: float = 300.0
    timeout: tuple[float, float] = (10.0, 60.0)


@dataclass(frozen=True)
class Reply:
    """A successful reply, as it was read."""

    body: bytes
    status: int
    request_id: str
    read_at: datetime
    remaining: str | None


@dataclass(frozen=True)
class Page:
    """The records of one reply, every value still in the reply's own bytes."""

    records: list[dict[str, msgspec.Raw]]
    reply: Reply


class Pacer:
    """Keeps a minimum gap between the calls of one rate bucket."""

    def __init__(self, gap: timedelta, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._gap, self._clock, self._sleep = gap.total_seconds(), clock, sleep
        self._next: dict[str, float] = {}

    def wait(self, bucket: str) -> None:
        delay = self._next.get(bucket, 0.0) - self._clock()
        if delay > 0:
            self._sleep(delay)
        self._next[bucket] = self._clock() + self._gap


class Api:
    """Calls one source's API. A reply that `read` refuses by raising ValueError is asked for again."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        minimum_gap: timedelta = timedelta(milliseconds=500),
        patience: Patience | None = None,
        reading_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = credentials.base_url.rstrip("/")
        self.patience = patience or Patience()
        self.reading_clock = reading_clock
        self._pacer = Pacer(minimum_gap, monotonic, sleep)
        self._monotonic, self._sleep = monotonic, sleep
        # Not a session of requests: what it does around each request takes longer than a short reply does to come.
        pools = urllib3.PoolManager(ca_certs=certifi.where(), retries=False)
        self._pool = pools.connection_from_url(self.base_url)
        self._prefix = urlsplit(self.base_url).path
        self._timeout = urllib3.Timeout(*self.patience.timeout)
        self._headers = {
            "Authorization": f"Bearer {credentials.token}",
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Cache-Control": "no-cache",
        }
        self.requests = 0

    def call(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        *,
        bucket: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        gone: frozenset[int] = frozenset(),
    ) -> tuple[T, Reply]:
        """Ask until there is a reply that can be read, or patience runs out.

        `gone` are further statuses that mean, for this request, that what was asked for does not exist any more.
        """
        asked = f"{method} {self.base_url}{path}"
        started = self._monotonic()
        seen = "nothing"
        for attempt in range(1, self.patience.tries + 1):
            self._pacer.wait(bucket)
            wait: float | None = None
            try:
                self.requests += 1
                response = self._send(method, path, params, body)
            except urllib3.exceptions.HTTPError as error:
                seen = f"no reply ({type(error).__name__})"
            else:
                reply = Reply(
                    response.data,
                    response.status,
                    _first(response.headers, REQUEST_ID_HEADERS) or "",
                    self.reading_clock(),
                    _first(response.headers, REMAINING_HEADERS),
                )
                if response.status == HTTPStatus.OK:
                    try:
                        return read(reply.body), reply
                    except ValueError as error:
                        seen = f"a reply that cannot be read ({error}), request {reply.request_id or 'without an id'}"
                else:
                    seen = self._judge(asked, reply, gone)
                    wait = _asked_wait(response.headers)
            if attempt < self.patience.tries:
                pause = self._pause(attempt, wait)
                if self._monotonic() - started + pause > self.patience.in_all:
                    break
                log.warning("%s: %s; asking again in %.1f s (try %d)", asked, seen, pause, attempt)
                self._sleep(pause)
        raise UnansweredError(
            f"{asked} was asked {attempt} times in {self._monotonic() - started:.0f} s and gave no usable reply; "
            f"last came {seen}. Nothing was loaded; run it again later"
        )

    def _send(
        self, method: str, path: str, params: Mapping[str, Any] | None, body: Any
    ) -> urllib3.response.BaseHTTPResponse:
        """One request, and its reply read whole."""
        query = f"?{urlencode(params)}" if params else ""
        content = None if body is None else msgspec.json.encode(body)
        headers = self._headers if content is None else self._headers | {"Content-Type": "application/json"}
        return self._pool.urlopen(
            method, f"{self._prefix}{path}{query}", content, headers, timeout=self._timeout, redirect=False
        )

    def _judge(self, asked: str, reply: Reply, gone: frozenset[int]) -> str:
        """What an unsuccessful reply means: raise if it is final, else describe it."""
        status = reply.status
        detail = f"HTTP {status}{_code(reply.body)}, request {reply.request_id or 'without an id'}"
        if status in (401, 403):
            raise RefusedError(f"{asked} was refused: {detail}. Check the connection's token, region and permissions")
        if status in gone or status in (404, 410):
            raise GoneError(f"{asked}: {detail}")
        if status == 429 or status >= 500 or status == 408:
            return detail
        raise SourceError(f"{asked} was not accepted: {detail}. This is a fault of the loader, please report it")

    def _pause(self, attempt: int, asked_wait: float | None) -> float:
        if asked_wait is not None:
            return asked_wait + random.uniform(0, 0.25)  # noqa: S311 - jitter, not a secret
        wait = min(self.patience.first_wait * 2.0 ** (attempt - 1), self.patience.longest_wait)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((headers[name] for name in names if name in headers), None)


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """The wait a reply asks for, by whichever header it came."""
    for name in WAIT_HEADERS:
        value = headers.get(name, "").strip()
        if value.replace(".", "", 1).isdigit():
            return float(value)
    reset = headers.get("x-ratelimit-reset", "")
    try:
        return max((datetime.fromisoformat(reset) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _code(body: bytes) -> str:
    """What an error body says that is safe and useful to show: its code, and a schema's or permission's complaint.

    Other texts are left out: they may quote what was sent.
    """
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ""
    errors = _field(said, "errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    code = _field(_field(first, "extensions"), "code") or _field(said, "code")
    if not isinstance(code, str) or not code.replace("_", "").isalnum():
        return ""
    complaint = _field(first, "message") if code.startswith("GRAPHQL_") or code == "FORBIDDEN" else None
    return f" ({code}{f': {complaint[:200]}' if isinstance(complaint, str) and complaint else ''})"


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
