"""Pylon's endpoints: routing, credentials, envelopes, limits and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from ..clock import Clock
from ..faults import Fault, FaultKind, Faults
from ..http import Request, Response, spoiled
from ..limits import TokenBucket
from ..world import ids
from ..world.directory import TEAMS, AccountView
from ..world.fields import FIELDS, TAGS
from ..world.lifecycle import Kind
from ..world.plan import System
from ..world.state import State
from ..world.times import DAY, instant, iso
from ..world.world import Snapshot, World
from . import filters
from .filters import FilterError, Grammar, Look, Value
from .paging import CursorError, Page, slice_page
from .records import SIGNATURE, Record, Records, by_hand
from .store import RowStore

MAX_LIST = 999  # "less than 1000"
ISSUES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen about the vendor; the defaults are what was recorded or documented last."""

    token: str = "sim-pylon-token"  # noqa: S105 - opens a simulator only
    profile: Literal["default", "old-pylon"] = "default"
    limits: bool = True
    wait_header: Literal["retry-after", "x-retry-after", "both", "none"] = "retry-after"
    empty: Literal["omitted", "list"] = "omitted"
    bounds: Literal["half-open", "closed", "open"] = "half-open"
    search_span_days: int | None = None
    index_lag_seconds: int = 0
    audit_logs: bool = True
    gone_status: Literal[400, 404, 410] = 404  # for what hangs on an issue that was there once
    drift: bool = False  # issues have a field no documentation knows yet

    @property
    def old(self) -> bool:
        return self.profile == "old-pylon"


class ApiError(Exception):
    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers or {}


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request on its way to its endpoint."""

    api: PylonApi
    request: Request
    at: int
    name: str
    path: tuple[str, ...]  # the variable parts of the path

    @property
    def body(self) -> dict[str, Any]:
        if not self.request.body:
            return {}
        try:
            body = json.loads(self.request.body)
        except ValueError:
            raise ApiError(400, "invalid_request_body", "The request body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise ApiError(400, "invalid_request_body", "The request body must be a JSON object.")
        return body

    def limit(self, default: int, most: int, *, least: int = 1) -> int:
        given = self.body.get("limit") if self.request.method == "POST" else self.request.query.get("limit")
        if given is None or given == "":
            return default
        try:
            limit = int(given)
        except (TypeError, ValueError):
            raise ApiError(400, "invalid_request_body", f"limit must be a number, not {given!r}.") from None
        if not least <= limit <= most:
            raise ApiError(400, "invalid_request_body", f"limit must be between {least} and {most}.")
        return limit or default

    def cursor(self) -> str | None:
        """From the body of a search, from the query of a list; the other place is not looked at."""
        given = self.body.get("cursor") if self.request.method == "POST" else self.request.query.get("cursor")
        return given if isinstance(given, str) else None


Handler = Callable[[Call], "Page | bytes"]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    parts: tuple[str, ...]  # "*" stands for an identifier
    handler: Handler
    tier: int
    old_tier: int

    @property
    def name(self) -> str:
        return f"{self.method} /{'/'.join('{id}' if part == '*' else part for part in self.parts)}"

    def match(self, parts: list[str]) -> tuple[str, ...] | None:
        if len(parts) != len(self.parts):
            return None
        if any(mine not in ("*", given) for mine, given in zip(self.parts, parts, strict=True)):
            return None
        return tuple(given for mine, given in zip(self.parts, parts, strict=True) if mine == "*")


class PylonApi:
    system = System.PYLON

    def __init__(self, world: World, clock: Clock, settings: Settings, faults: Faults | None = None) -> None:
        self.world = world
        self.clock = clock
        self.settings = settings
        self.faults = faults or Faults()
        self.records = Records(world)
        self.timeline = world.timelines[System.PYLON]
        self.by_id = {self.records.issue_id(index): index for index in self.timeline.tickets}
        self.by_number = {str(world.tickets[index].number): index for index in self.timeline.tickets}
        self._buckets: dict[str, TokenBucket] = {}
        self._requests = 0
        self._rows = RowStore(len(world.tickets))
        self._last_rows: dict[str, bytes] = {}  # by endpoint, for pages that repeat a row
        self._matches = lru_cache(maxsize=8)(self._find_matches)

    def change(self, settings: dict[str, Any]) -> None:
        """Go on with other settings; the rate limits start afresh."""
        self.settings = msgspec.convert(settings, Settings)
        self._rows = RowStore(len(self.world.tickets))
        self._buckets.clear()
        self._matches.cache_clear()

    # -- the way in

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
                return Call(self, request, self.clock.now, route.name, path), route
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

    # -- issues

    @property
    def indexed_at(self) -> int:
        """How far the search index has come; it may trail the records."""
        return self.clock.now - self.settings.index_lag_seconds * 1000

    def find_issue(self, text: str, *, part: bool = True) -> State:
        index = self.by_id.get(text, self.by_number.get(text, -1))
        if index not in self.snapshot().position:
            was_there = self.timeline.gone.get(index, (self.clock.now + 1, None))[0] <= self.clock.now
            status = self.settings.gone_status if was_there and part else 404
            raise ApiError(status, "not_found", f"Issue {text} was not found.")
        return self.world.state(index, self.clock.now)

    def snapshot(self) -> Snapshot:
        return self.timeline.snapshot(self.clock.now)

    def issue_rows(self, found: Iterable[int], at: int) -> list[bytes]:
        snapshot = self.timeline.snapshot(at)
        return [self._issue_row(index, snapshot.versions[snapshot.position[index]], at) for index in found]

    def _issue_row(self, index: int, version: int, at: int) -> bytes:
        known = self._rows.get(index, version, at)
        if known is not None:
            return known
        state = self.world.state(index, at)
        record = self.records.issue(state)
        if self.settings.drift:
            record["sim_future_field"] = {"since": "tomorrow", "values": [1, None]}
        row = msgspec.json.encode(record)
        # A closed issue reads the same at any later time; an open one spends time in its status.
        self._rows.put(index, version, at if state.is_open else 0, row)
        return row

    def warm(self) -> None:
        """Render every issue now, so that the first scan is as fast as the next."""
        snapshot = self.snapshot()
        for index, version in zip(snapshot.tickets, snapshot.versions, strict=True):
            self._issue_row(index, version, snapshot.at)

    def _find_matches(self, at: int, given: str) -> list[int]:
        """The issues a filter matches, newest first."""
        span = self.settings.search_span_days
        grammar = Grammar(
            filters.ISSUE_FIELDS,
            frozenset(field.slug for field in FIELDS if field.object_type == "issue"),
            self.settings.bounds,
            None if span is None else span * DAY,
        )
        snapshot = self.timeline.snapshot(at)
        request = json.loads(given)
        found = list(snapshot.tickets)
        if request.get("filter") is not None:
            test = grammar.compile(request["filter"])
            found = [
                index
                for index, updated in zip(snapshot.tickets, snapshot.updated, strict=True)
                if test(_IssueLook(self, index, updated, at))
            ]
        search_text = request.get("search_text")
        if isinstance(search_text, str) and search_text:
            wanted = search_text.lower()
            found = [index for index in found if wanted in self.world.title(self.world.tickets[index]).lower()]
        return found

    def newest_first(self, index: int) -> tuple[int, int]:
        return (-self.world.tickets[index].created, -index)


class _IssueLook:
    """Reads the fields a filter may name; folds the issue's state only when a field needs it."""

    __slots__ = ("_api", "_at", "_index", "_state", "_updated")

    def __init__(self, api: PylonApi, index: int, updated: int, at: int) -> None:
        self._api, self._index, self._updated, self._at = api, index, updated, at
        self._state: State | None = None

    def __call__(self, name: str) -> Value:
        ticket = self._api.world.tickets[self._index]
        if name == "updated_at":
            return self._updated
        if name == "created_at":
            return ticket.created
        if self._state is None:
            self._state = self._api.world.state(self._index, self._at)
        return _issue_value(self._api.records, self._state, name)


def _issue_value(records: Records, state: State, name: str) -> Value:
    ticket = state.ticket
    match name:
        case "resolved_at":
            return state.resolved
        case "latest_message_activity_at":
            return max((message.stamp for message in state.messages), default=None)
        case "account_id":
            return records.account_id(state.account) if ticket.account_known else None
        case "requester_id":
            return None if by_hand(ticket) else records.contact_id(ticket.contact)
        case "follower_contact_id":
            return records.contact_id(ticket.contact)
        case "assignee_id":
            return None if state.assignee is None else records.user_id(state.assignee)
        case "team_id":
            return None if state.team is None else records.team_id(state.team)
        case "follower_user_id":
            return tuple(person["id"] for person in records.followers(state) if person["type"] == "user")
        case "state":
            return state.status
        case "tags":
            return state.tags
        case "reopened":
            return str(any(r.reopened is not None for r in state.resolutions)).lower()
        case "customer_portal_visible":
            return str(ticket.channel in ("customer_portal", "form")).lower()
        case "issue_is_issue_group":
            return "false"
        case "slack_channel_id":
            return f"C{ticket.account:09d}" if ticket.channel == "slack" else None
        case "priority":
            return state.priority
        case "ticket_form_id":
            return None
    if name in ("title", "body_html", "issue_type", "workspace_email"):
        value = records.issue(state).get({"issue_type": "type"}.get(name, name))
        return None if value is None else str(value)
    return state.fields.get(name)


# -- endpoints


def _encode(records: Iterable[Record]) -> list[bytes]:
    return [msgspec.json.encode(record) for record in records]


def _me(call: Call) -> bytes:
    me = call.api.records.me()
    if call.api.settings.old:
        del me["user"]
    return msgspec.json.encode(me)


def _issues(call: Call) -> Page:
    api = call.api
    start, end = (_time_parameter(call, name) for name in ("start_time", "end_time"))
    if end < start:
        raise ApiError(400, "invalid_request_body", "end_time must not be before start_time.")
    longest = 30 if api.settings.old else 365
    if end - start > longest * DAY:
        raise ApiError(400, "invalid_request_body", f"The time range must not exceed {longest} days.")
    limit = call.limit(ISSUES_MAX, ISSUES_MAX, least=0)
    tickets = api.world.tickets
    found = [index for index in api.snapshot().tickets if start <= tickets[index].created < end]
    return _issue_page(call, found, limit, call.at)


def _time_parameter(call: Call, name: str) -> int:
    text = call.request.query.get(name)
    if not text:
        raise ApiError(400, "invalid_request_body", f"{name} is required.")
    try:
        return instant(text)
    except ValueError:
        raise ApiError(400, "invalid_request_body", f"{name} must be an RFC 3339 time, not {text!r}.") from None


def _issue_page(call: Call, found: Sequence[int], limit: int, at: int) -> Page:
    chunk, cursor = _sliced(found, call.api.newest_first, call, limit)
    return Page(call.api.issue_rows(chunk, at), cursor)


def _sliced(
    items: Sequence[Any], key: Callable[[Any], tuple[int, ...]], call: Call, limit: int
) -> tuple[Sequence[Any], str | None]:
    try:
        return slice_page(items, key, call.name, call.cursor(), limit)
    except CursorError as error:
        raise ApiError(400, "invalid_request_body", f"Bad request: {error}.") from None


def _search_issues(call: Call) -> Page:
    api, body = call.api, call.body
    limit = call.limit(100, MAX_LIST if api.settings.old else 1000)
    at = api.indexed_at
    wanted = {name: body[name] for name in ("filter", "search_text") if body.get(name) is not None}
    try:
        found = api._matches(at, json.dumps(wanted, sort_keys=True))
    except FilterError as error:
        raise ApiError(400, "invalid_request_body", f"Invalid filter: {error}.") from None
    return _issue_page(call, found, limit, at)


def _issue(call: Call) -> bytes:
    state = call.api.find_issue(call.path[0], part=False)
    return call.api.issue_rows([state.ticket.index], call.at)[0]


def _messages(call: Call) -> Page:
    state = call.api.find_issue(call.path[0])
    messages = state.messages
    if "limit" in call.request.query or "cursor" in call.request.query:
        positions, cursor = _sliced(range(len(messages)), lambda k: (k,), call, call.limit(100, 1000))
    else:
        positions, cursor = range(len(messages)), None
    return Page(_encode(call.api.records.message(state, messages[k]) for k in positions), cursor)


def _threads(call: Call) -> Page:
    return Page(_encode(call.api.records.thread(call.api.find_issue(call.path[0]))))


def _followers(call: Call) -> Page:
    return Page(_encode(call.api.records.followers(call.api.find_issue(call.path[0]))))


_RESPONSE_FILTERS = ("survey_id", "account_id", "contact_id")


def _responses_of(call: Call, states: Iterable[State]) -> Page:
    after, before = (
        instant(call.request.query[name]) if call.request.query.get(name) else default
        for name, default in (("submitted_after", -1), ("submitted_before", 1 << 62))
    )
    found = [
        record
        for state in states
        for record in call.api.records.survey_responses(state)
        if "submitted_at" in record and after <= instant(record["submitted_at"]) < before
        if all(call.request.query.get(name) in (None, "", record.get(name)) for name in _RESPONSE_FILTERS)
    ]
    found.sort(key=lambda record: (instant(record["submitted_at"]), record["id"]))
    positions, cursor = _sliced(range(len(found)), lambda k: (k,), call, call.limit(100, MAX_LIST))
    return Page(_encode(found[k] for k in positions), cursor)


def _issue_survey_responses(call: Call) -> Page:
    state = call.api.find_issue(call.path[0])
    page = _responses_of(call, [state])
    page.issue_id = call.api.records.issue_id(state.ticket.index)
    return page


def _survey_responses(call: Call) -> Page:
    _survey(call)
    api, position = call.api, call.api.snapshot().position
    answered = sorted({index for at, index in api.timeline.answers if at <= call.at and index in position})
    return _responses_of(call, (api.world.state(index, call.at) for index in answered))


def _survey(call: Call) -> bytes:
    survey = call.api.records.survey()
    if call.path[0] != survey["id"]:
        raise ApiError(404, "not_found", f"Survey {call.path[0]} was not found.")
    return msgspec.json.encode(survey)


def _surveys(call: Call) -> Page:
    return Page(_encode([call.api.records.survey()]))


def _statuses(call: Call) -> Page:
    return Page(_encode(call.api.records.statuses()))


def _accounts(call: Call) -> Page:
    views = list(call.api.world.directory.accounts_at(call.at))
    return _account_page(call, views)


def _account_page(call: Call, views: list[AccountView]) -> Page:
    chunk, cursor = _sliced(views, lambda view: (view.account.index,), call, call.limit(100, MAX_LIST))
    return Page(_encode(call.api.records.account(view, call.at) for view in chunk), cursor)


def _account(call: Call) -> bytes:
    wanted = call.path[0]
    for view in call.api.world.directory.accounts_at(call.at):
        if wanted in (call.api.records.account_id(view.account.index), view.account.crm_id):
            return msgspec.json.encode(call.api.records.account(view, call.at))
    raise ApiError(404, "not_found", f"Account {wanted} was not found.")


def _account_look(call: Call, view: AccountView) -> Look:
    record = call.api.records.account(view, call.at)
    values: dict[str, Value] = {
        "id": record["id"],
        "name": view.name,
        "domains": view.domains,
        "tags": view.tags,
        "external_ids": view.account.crm_id,
        "owner_id": record["owner"]["id"] if record["owner"] else None,
        **{slug: value["value"] for slug, value in record["custom_fields"].items()},
    }
    return lambda name: values.get(name)


def _search_accounts(call: Call) -> Page:
    views = list(call.api.world.directory.accounts_at(call.at))
    test = _filter(call, filters.ACCOUNT_FIELDS, "account")
    found = [view for view in views if _mentions(call, view.name) and test(_account_look(call, view))]
    return _account_page(call, found)


def _mentions(call: Call, *texts: str) -> bool:
    """Whether the words searched for are in one of the texts; without any, everything matches."""
    wanted = call.body.get("search_text")
    return not isinstance(wanted, str) or any(wanted.lower() in text.lower() for text in texts)


def _filter(call: Call, fields: dict[str, frozenset[str]], object_type: str = "") -> filters.Predicate:
    given = call.body.get("filter")
    if given is None:
        return lambda _: True
    custom = frozenset(field.slug for field in FIELDS if field.object_type == object_type)
    try:
        return Grammar(fields, custom, call.api.settings.bounds).compile(given)
    except FilterError as error:
        raise ApiError(400, "invalid_request_body", f"Invalid filter: {error}.") from None


def _record_look(record: Record) -> Look:
    return lambda name: record.get(name)


def _contact_records(call: Call) -> list[Record]:
    directory = call.api.world.directory
    return [call.api.records.contact(contact, call.at) for contact in directory.contacts_at(call.at)]


def _contacts(call: Call) -> Page:
    return _positions(call, _contact_records(call))


def _positions(call: Call, records: Sequence[Record]) -> Page:
    """A page over records whose order never changes."""
    positions, cursor = _sliced(range(len(records)), lambda k: (k,), call, call.limit(100, MAX_LIST))
    return Page(_encode(records[k] for k in positions), cursor)


def _search_contacts(call: Call) -> Page:
    test = _filter(call, filters.CONTACT_FIELDS, "contact")

    def look(record: Record) -> Look:
        values = {**record, "account_id": record["account"]["id"]}
        values |= {slug: value["value"] for slug, value in record["custom_fields"].items()}
        return _record_look(values)

    contacts = (record for record in _contact_records(call) if _mentions(call, record["name"], record["email"]))
    return _positions(call, [record for record in contacts if test(look(record))])


def _contact(call: Call) -> bytes:
    return _one(call, "Contact", _contact_records(call))


def _one(call: Call, what: str, records: Iterable[Record]) -> bytes:
    for record in records:
        if record["id"] == call.path[0]:
            return msgspec.json.encode(record)
    raise ApiError(404, "not_found", f"{what} {call.path[0]} was not found.")


def _user_records(call: Call) -> list[Record]:
    agents = call.api.world.directory.agents
    return [call.api.records.user(agent, call.at) for agent in agents if agent.joined <= call.at]


def _users(call: Call) -> Page:
    everyone = call.request.query.get("include_deactivated", "").lower() == "true"
    return Page(_encode(user for user in _user_records(call) if everyone or not user["is_deactivated"]))


def _search_users(call: Call) -> Page:
    test = _filter(call, filters.USER_FIELDS)
    return _positions(call, [user for user in _user_records(call) if test(_record_look(user))])


def _user(call: Call) -> bytes:
    return _one(call, "User", _user_records(call))


def _team_records(call: Call) -> list[Record]:
    return [call.api.records.team(index, call.at) for index in range(len(TEAMS))]


def _teams(call: Call) -> Page:
    return Page(_encode(_team_records(call)))


def _team(call: Call) -> bytes:
    return _one(call, "Team", _team_records(call))


def _tag_records(call: Call) -> list[Record]:
    return [call.api.records.tag(index) for index in range(len(TAGS))]


def _tags(call: Call) -> Page:
    return Page(_encode(_tag_records(call)))


def _search_tags(call: Call) -> Page:
    object_type = call.body.get("object_type")
    newest_first = reversed(_tag_records(call))
    tags = (tag for tag in newest_first if object_type in (None, tag["object_type"]) and _mentions(call, tag["value"]))
    return _positions(call, list(tags))


def _tag(call: Call) -> bytes:
    return _one(call, "Tag", _tag_records(call))


def _field_records(call: Call) -> list[Record]:
    return [call.api.records.custom_field(field) for field in FIELDS]


def _custom_fields(call: Call) -> Page:
    object_type = call.request.query.get("object_type")
    if object_type not in ("account", "issue", "contact", "task", "project", "meeting", "opportunity"):
        raise ApiError(400, "invalid_request_body", "object_type is required: account, issue, contact, task, …")
    return Page(_encode(field for field in _field_records(call) if field["object_type"] == object_type))


def _custom_field(call: Call) -> bytes:
    return _one(call, "Custom field", _field_records(call))


def _ticket_forms(call: Call) -> Page:
    return Page(_encode([call.api.records.ticket_form()]))


def _ticket_form(call: Call) -> bytes:
    return _one(call, "Ticket form", [call.api.records.ticket_form()])


def _roles(call: Call) -> Page:
    return Page(_encode(call.api.records.roles()))


def _audit_records(call: Call) -> list[Record]:
    api = call.api
    if not api.settings.audit_logs:
        raise ApiError(403, "permission_denied", "Audit logs are not part of this plan.")
    actions = {Kind.MERGED: "issue.merged", Kind.SPAM: "issue.marked_as_spam", Kind.DELETED: "issue.deleted"}
    found = [(at, index, kind) for index, (at, kind) in api.timeline.gone.items() if at <= call.at and kind in actions]
    return [
        {
            "id": ids.uuid(api.world.seed, "audit", index),
            "action": actions[kind],
            "action_happened_at": iso(at),
            "created_at": iso(at),
            "object_type": "issue",
            "object_id": api.records.issue_id(index),
            "source": "app",
            "actor_user_id": api.records.user_id(0),
            "attributes": {"number": str(api.world.tickets[index].number)},
        }
        for at, index, kind in sorted(found)
    ]


def _audit_logs(call: Call) -> Page:
    return _positions(call, _audit_records(call))


def _search_audit_logs(call: Call) -> Page:
    test = _filter(call, filters.AUDIT_FIELDS)

    def look(record: Record) -> Look:
        return _record_look({**record, "action_happened_at": instant(record["action_happened_at"])})

    return _positions(call, [record for record in _audit_records(call) if test(look(record))])


def _search_surveys(call: Call) -> Page:
    test = _filter(call, filters.SURVEY_FIELDS)
    survey = call.api.records.survey()
    matched = test(_record_look({**survey, "updated_at": instant(survey["updated_at"])}))
    return _positions(call, [survey] if matched else [])


def _routes() -> Iterable[Route]:
    def route(text: str, handler: Handler, tier: int = 300, old_tier: int | None = None) -> Route:
        method, path = text.split()
        older = old_tier if old_tier is not None else {300: 60, 120: 20, 30: 10}[tier]
        return Route(method, tuple(path.strip("/").split("/")), handler, tier, older)

    yield route("GET /me", _me)
    yield route("GET /issues", _issues, 30)
    yield route("POST /issues/search", _search_issues, 120)
    yield route("GET /issues/*", _issue)
    yield route("GET /issues/*/messages", _messages, 120)
    yield route("GET /issues/*/threads", _threads, 120)
    yield route("GET /issues/*/followers", _followers)
    yield route("GET /issues/*/survey-responses", _issue_survey_responses)
    yield route("GET /issue-statuses", _statuses, 30)
    yield route("GET /accounts", _accounts)
    yield route("POST /accounts/search", _search_accounts, 120)
    yield route("GET /accounts/*", _account)
    yield route("GET /contacts", _contacts)
    yield route("POST /contacts/search", _search_contacts, 120)
    yield route("GET /contacts/*", _contact)
    yield route("GET /users", _users)
    yield route("POST /users/search", _search_users, 120)
    yield route("GET /users/*", _user)
    yield route("GET /user-roles", _roles)
    yield route("GET /teams", _teams)
    yield route("GET /teams/*", _team)
    yield route("GET /tags", _tags)
    yield route("POST /tags/search", _search_tags, 120)
    yield route("GET /tags/*", _tag)
    yield route("GET /custom-fields", _custom_fields)
    yield route("GET /custom-fields/*", _custom_field)
    yield route("GET /ticket-forms", _ticket_forms)
    yield route("GET /ticket-forms/*", _ticket_form)
    yield route("GET /surveys", _surveys)
    yield route("POST /surveys/search", _search_surveys, 120)
    yield route("GET /surveys/*", _survey)
    yield route("GET /surveys/*/responses", _survey_responses)
    yield route("GET /audit-logs", _audit_logs)
    yield route("POST /audit-logs/search", _search_audit_logs, 30)


ROUTES: tuple[Route, ...] = tuple(_routes())
