"""What each of Pylon's endpoints answers."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from ..world import ids
from ..world.directory import TEAMS, AccountView
from ..world.fields import FIELDS, TAGS
from ..world.lifecycle import Kind
from ..world.state import State
from ..world.times import DAY, instant, iso
from . import filters
from .call import ApiError, Call, Handler, Route
from .filters import FilterError, Grammar, Look, Value
from .issues import Gone, answers_in_order
from .paging import CursorError, Page, slice_page
from .records import Record

MAX_LIST = 999  # "less than 1000"
ISSUES_MAX = 20_000


def _found(call: Call, *, part: bool = True) -> State:
    """The issue a path names; what hangs on one that is gone may be refused otherwise than the issue itself."""
    try:
        return call.issues.find(call.path[0])
    except Gone as gone:
        status = call.settings.gone_status if part and gone.was_there else 404
        raise ApiError(status, "not_found", str(gone)) from None


def _encode(records: Iterable[Record]) -> list[bytes]:
    return [msgspec.json.encode(record) for record in records]


def _me(call: Call) -> bytes:
    me = call.records.me()
    if call.settings.old:
        del me["user"]
    return msgspec.json.encode(me)


def _issues(call: Call) -> Page:
    start, end = (_time_parameter(call, name) for name in ("start_time", "end_time"))
    if end < start:
        raise ApiError(400, "invalid_request_body", "end_time must not be before start_time.")
    longest = 30 if call.settings.old else 365
    if end - start > longest * DAY:
        raise ApiError(400, "invalid_request_body", f"The time range must not exceed {longest} days.")
    limit = call.limit(ISSUES_MAX, ISSUES_MAX, least=0)
    tickets = call.world.tickets
    found = [index for index in call.issues.snapshot().tickets if start <= tickets[index].created < end]
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
    chunk, cursor = _sliced(found, call.issues.newest_first, call, limit)
    return Page(call.issues.rows(chunk, at), cursor)


def _sliced(
    items: Sequence[Any], key: Callable[[Any], tuple[int, ...]], call: Call, limit: int
) -> tuple[Sequence[Any], str | None]:
    try:
        return slice_page(items, key, call.name, call.cursor(), limit)
    except CursorError as error:
        raise ApiError(400, "invalid_request_body", f"Bad request: {error}.") from None


def _search_issues(call: Call) -> Page:
    body = call.body
    limit = call.limit(100, MAX_LIST if call.settings.old else 1000)
    at = call.issues.indexed_at
    wanted = {name: body[name] for name in ("filter", "search_text") if body.get(name) is not None}
    try:
        found = call.issues.matches(at, json.dumps(wanted, sort_keys=True))
    except FilterError as error:
        raise ApiError(400, "invalid_request_body", f"Invalid filter: {error}.") from None
    return _issue_page(call, found, limit, at)


def _issue(call: Call) -> bytes:
    state = _found(call, part=False)
    return call.issues.rows([state.ticket.index], call.at)[0]


def _messages(call: Call) -> Page:
    state = _found(call)
    messages = state.messages
    if "limit" in call.request.query or "cursor" in call.request.query:
        positions, cursor = _sliced(range(len(messages)), lambda k: (k,), call, call.limit(100, 1000))
    else:
        positions, cursor = range(len(messages)), None
    news = {"sim_future_field": "new"} if call.settings.drift else {}
    return Page(_encode(call.records.message(state, messages[k]) | news for k in positions), cursor)


def _threads(call: Call) -> Page:
    return Page(_encode(call.records.thread(_found(call))))


def _followers(call: Call) -> Page:
    return Page(_encode(call.records.followers(_found(call))))


_RESPONSE_FILTERS = ("survey_id", "account_id", "contact_id")


def _responses_of(call: Call, answers: Iterable[tuple[int, Record]]) -> Page:
    after, before = (
        instant(call.request.query[name]) if call.request.query.get(name) else default
        for name, default in (("submitted_after", -1), ("submitted_before", 1 << 62))
    )
    wanted = {name: call.request.query[name] for name in _RESPONSE_FILTERS if call.request.query.get(name)}
    found = [
        record
        for at, record in answers
        if after <= at < before and all(record.get(name) == value for name, value in wanted.items())
    ]
    positions, cursor = _sliced(range(len(found)), lambda k: (k,), call, call.limit(100, MAX_LIST))
    return Page(_encode(found[k] for k in positions), cursor)


def _issue_survey_responses(call: Call) -> Page:
    state = _found(call)
    page = _responses_of(call, answers_in_order(call.records, [state]))
    page.issue_id = call.records.issue_id(state.ticket.index)
    return page


def _survey_responses(call: Call) -> Page:
    _survey(call)
    return _responses_of(call, call.issues.answers(call.at))


def _survey(call: Call) -> bytes:
    survey = call.records.survey()
    if call.path[0] != survey["id"]:
        raise ApiError(404, "not_found", f"Survey {call.path[0]} was not found.")
    return msgspec.json.encode(survey)


def _surveys(call: Call) -> Page:
    return Page(_encode([call.records.survey()]))


def _statuses(call: Call) -> Page:
    return Page(_encode(call.records.statuses()))


def _accounts(call: Call) -> Page:
    views = list(call.world.directory.accounts_at(call.at))
    return _account_page(call, views)


def _account_page(call: Call, views: list[AccountView]) -> Page:
    chunk, cursor = _sliced(views, lambda view: (view.account.index,), call, call.limit(100, MAX_LIST))
    return Page(_encode(call.records.account(view, call.at) for view in chunk), cursor)


def _account(call: Call) -> bytes:
    wanted = call.path[0]
    for view in call.world.directory.accounts_at(call.at):
        if wanted in (call.records.account_id(view.account.index), view.account.crm_id):
            return msgspec.json.encode(call.records.account(view, call.at))
    raise ApiError(404, "not_found", f"Account {wanted} was not found.")


def _account_look(call: Call, view: AccountView) -> Look:
    record = call.records.account(view, call.at)
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
    views = list(call.world.directory.accounts_at(call.at))
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
        return Grammar(fields, custom, call.settings.bounds).compile(given)
    except FilterError as error:
        raise ApiError(400, "invalid_request_body", f"Invalid filter: {error}.") from None


def _record_look(record: Record) -> Look:
    return lambda name: record.get(name)


def _contact_records(call: Call) -> list[Record]:
    directory = call.world.directory
    return [call.records.contact(contact, call.at) for contact in directory.contacts_at(call.at)]


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
    agents = call.world.directory.agents
    return [call.records.user(agent, call.at) for agent in agents if agent.joined <= call.at]


def _users(call: Call) -> Page:
    everyone = call.request.query.get("include_deactivated", "").lower() == "true"
    return Page(_encode(user for user in _user_records(call) if everyone or not user["is_deactivated"]))


def _search_users(call: Call) -> Page:
    test = _filter(call, filters.USER_FIELDS)
    return _positions(call, [user for user in _user_records(call) if test(_record_look(user))])


def _user(call: Call) -> bytes:
    return _one(call, "User", _user_records(call))


def _team_records(call: Call) -> list[Record]:
    return [call.records.team(index, call.at) for index in range(len(TEAMS))]


def _teams(call: Call) -> Page:
    return Page(_encode(_team_records(call)))


def _team(call: Call) -> bytes:
    return _one(call, "Team", _team_records(call))


def _tag_records(call: Call) -> list[Record]:
    return [call.records.tag(index) for index in range(len(TAGS))]


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
    return [call.records.custom_field(field) for field in FIELDS]


def _custom_fields(call: Call) -> Page:
    object_type = call.request.query.get("object_type")
    if object_type not in ("account", "issue", "contact", "task", "project", "meeting", "opportunity"):
        raise ApiError(400, "invalid_request_body", "object_type is required: account, issue, contact, task, …")
    return Page(_encode(field for field in _field_records(call) if field["object_type"] == object_type))


def _custom_field(call: Call) -> bytes:
    return _one(call, "Custom field", _field_records(call))


def _ticket_forms(call: Call) -> Page:
    return Page(_encode([call.records.ticket_form()]))


def _ticket_form(call: Call) -> bytes:
    return _one(call, "Ticket form", [call.records.ticket_form()])


def _roles(call: Call) -> Page:
    return Page(_encode(call.records.roles()))


def _audit_records(call: Call) -> list[Record]:
    if not call.settings.audit_logs:
        raise ApiError(403, "permission_denied", "Audit logs are not part of this plan.")
    actions = {Kind.MERGED: "issue.merged", Kind.SPAM: "issue.marked_as_spam", Kind.DELETED: "issue.deleted"}
    found = [
        (at, index, kind)
        for index, (at, kind) in call.issues.timeline.gone.items()
        if at <= call.at and kind in actions
    ]
    return [
        {
            "id": ids.uuid(call.world.seed, "audit", index),
            "action": actions[kind],
            "action_happened_at": iso(at),
            "created_at": iso(at),
            "object_type": "issue",
            "object_id": call.records.issue_id(index),
            "source": "app",
            "actor_user_id": call.records.user_id(0),
            "attributes": {"number": str(call.world.tickets[index].number)},
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
    survey = call.records.survey()
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
