"""Pylon's way in: routing, credentials, envelopes, limits, and the faults that were set."""

from hashlib import blake2b
from typing import Any

import msgspec

from ..clock import Clock
from ..faults import Fault, FaultKind, Faults
from ..http import Request, Response, spoiled
from ..limits import TokenBucket
from ..world import ids
from ..world.plan import System
from ..world.world import World
from .call import ApiError, Call, Route
from .endpoints import ROUTES
from .issues import Issues
from .paging import Page
from .records import SIGNATURE, Records
from .settings import Settings


class PylonApi:
    system = System.PYLON

    def __init__(self, world: World, clock: Clock, settings: Settings, faults: Faults | None = None) -> None:
        self.world = world
        self.clock = clock
        self.settings = settings
        self.faults = faults or Faults()
        self.records = Records(world)
        self.issues = Issues(world, self.records, clock, settings)
        self._buckets: dict[str, TokenBucket] = {}
        self._requests = 0
        self._last_rows: dict[str, bytes] = {}  # by endpoint, for pages that repeat a row

    def change(self, settings: dict[str, Any]) -> None:
        """Go on with other settings; the rate limits start afresh."""
        self.settings = msgspec.convert(settings, Settings)
        self.issues = Issues(self.world, self.records, self.clock, self.settings)
        self._buckets.clear()

    def __call__(self, request: Request) -> Response:
        self._requests += 1
        request_id = ids.uuid(self.world.seed, "pylon-request", self._requests)
        headers = {"content-type": "application/json", "x-pylon-request-id": request_id}
        struck: dict[FaultKind, Fault] = {}
        try:
            self._authenticate(request)
            call, route = self._route(request)
            struck = self.faults.strike("pylon", route.name)
            headers |= self._spend(route)
            self._refuse(struck)
            if FaultKind.EXPIRED_CURSOR in struck and call.cursor():
                raise ApiError(400, "invalid_request_body", "Bad request: the cursor has expired.")
            result = route.handler(call)
            if isinstance(result, Page):
                self._spoil(result, call, struck)
        except ApiError as error:
            body = {"errors": [str(error)], "request_id": request_id}
            if not self.settings.old:
                body["code"] = error.code
            return spoiled(Response(error.status, msgspec.json.encode(body), {**headers, **error.headers}), struck)
        body_bytes = self._envelope(result, request_id)
        if SIGNATURE in body_bytes:
            # Attachment links carry a signature of their own in every reply.
            signature = blake2b(request_id.encode(), digest_size=16).hexdigest().encode()
            body_bytes = body_bytes.replace(SIGNATURE, signature)
        if FaultKind.MUTATE in struck:
            self.clock.advance(struck[FaultKind.MUTATE].seconds)
        rows = len(result.rows) if isinstance(result, Page) else 1
        return spoiled(Response(200, body_bytes, headers, rows=rows), struck)

    def _refuse(self, struck: dict[FaultKind, Fault]) -> None:
        if FaultKind.TOO_MANY in struck:
            raise self.too_many(struck[FaultKind.TOO_MANY].seconds)
        if FaultKind.REVOKE in struck:
            raise ApiError(401, "invalid_api_token", "The API token is not valid.")
        if FaultKind.FORBID in struck:
            raise ApiError(403, "permission_denied", "This token may not do that.")
        if FaultKind.STATUS in struck:
            raise ApiError(struck[FaultKind.STATUS].status, "internal_error", "Something went wrong on our side.")

    def _spoil(self, page: Page, call: Call, struck: dict[FaultKind, Fault]) -> None:
        last = self._last_rows.get(call.name)
        if page.rows:
            self._last_rows[call.name] = page.rows[-1]
        if FaultKind.DUPLICATE_ROWS in struck and last is not None and call.cursor():  # a first page follows none
            page.rows.insert(0, last)
        if FaultKind.MISSING_ROWS in struck:
            del page.rows[-1:]
        if FaultKind.STUCK_CURSOR in struck and call.cursor():
            page.cursor = call.cursor()
        if FaultKind.GLITCH_PAGE in struck:
            page.rows, page.cursor, page.is_glitch = [], page.cursor or call.cursor() or "none", True

    def _envelope(self, result: Page | bytes, request_id: str) -> bytes:
        tail = b'"request_id":"%b"}' % request_id.encode()
        if isinstance(result, Page) and result.issue_id is not None:
            tail = b'"issue_id":"%b",%b' % (result.issue_id.encode(), tail)
        if isinstance(result, bytes):
            return b'{"data":%b,%b' % (result, tail)
        if result.is_glitch:
            return b'{"pagination":{"cursor":"%b","has_next_page":true},' % (result.cursor or "").encode() + tail
        if not result.rows and self.settings.empty == "omitted":
            return b"{" + tail
        data = b'{"data":[' + b",".join(result.rows) + b"],"
        if result.cursor is None:
            return data + tail
        return data + b'"pagination":{"cursor":"%b","has_next_page":true},' % result.cursor.encode() + tail

    def _authenticate(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ApiError(401, "invalid_authorization_header", "The Authorization header is missing or malformed.")
        if token == f"{self.settings.token}-eu":
            raise ApiError(401, "wrong_region_token", "This token belongs to another region.")
        if token == f"{self.settings.token}-suspended":
            raise ApiError(401, "organization_suspended", "This organization is suspended.")
        if token != self.settings.token:
            raise ApiError(401, "invalid_api_token", "The API token is not valid.")

    def _route(self, request: Request) -> tuple[Call, Route]:
        parts = request.path.strip("/").split("/")
        methods: set[str] = set()
        for route in ROUTES:
            path = route.match(parts)
            if path is None:
                continue
            if route.method == request.method:
                known = self.world, self.records, self.issues, self.settings
                return Call(*known, request, self.clock.now, route.name, path), route
            methods.add(route.method)
        if methods:
            message = f"{request.method} is not allowed here."
            raise ApiError(405, "method_not_allowed", message, {"allow": ", ".join(sorted(methods))})
        raise ApiError(404, "not_found", f"There is nothing at {request.path}.")

    def _spend(self, route: Route) -> dict[str, str]:
        per_minute = route.old_tier if self.settings.old else route.tier
        bucket = self._buckets.setdefault(route.name, TokenBucket(per_minute))
        if self.settings.limits and not bucket.take():
            raise self.too_many(bucket.wait)
        return {"x-rate-limit-remaining": str(bucket.remaining)}

    def too_many(self, wait: float) -> ApiError:
        seconds = str(int(wait) + 1)
        chosen = self.settings.wait_header
        headers = {"x-rate-limit-remaining": "0"}
        if chosen in ("retry-after", "both"):
            headers["retry-after"] = seconds
        if chosen in ("x-retry-after", "both"):
            headers["x-retry-after"] = seconds
        return ApiError(429, "rate_limited", "Too many requests.", headers)
