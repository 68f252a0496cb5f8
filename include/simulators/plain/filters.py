"""Plain's filters and orders, over the states of threads."""

from collections.abc import Callable, Iterable
from typing import Any

from ..world.directory import COMPANY_DOMAIN
from ..world.lifecycle import Role
from ..world.plan import Ticket
from ..world.state import State
from ..world.times import instant
from .connection import bad_input
from .messages import CHANNELS
from .people import PRIORITY_NUMBER, THREAD_FIELDS, Fields, People, field_type
from .status import detail_of, sentiment, sla_of
from .threads import Threads

Test = Callable[["Row"], bool]


class Row:
    """A thread under test; its state is folded only when a filter needs it."""

    __slots__ = ("_state", "_threads", "ticket", "updated")

    def __init__(self, threads: Threads, ticket: Ticket, updated: int) -> None:
        self._threads, self.ticket, self.updated = threads, ticket, updated
        self._state: State | None = None

    @property
    def state(self) -> State:
        if self._state is None:
            self._state = self._threads.world.state(self.ticket.index, self._threads.at)
        return self._state


def in_window(window: Fields, name: str) -> Callable[[int | None], bool]:
    """A DatetimeFilter: after is inclusive, before is exclusive."""
    low, high = (_moment(window.get(end), f"{name}.{end}") for end in ("after", "before"))
    return lambda at: at is not None and (low is None or low <= at) and (high is None or at < high)


def _moment(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    try:
        return instant(text)
    except ValueError:
        raise bad_input(f'{name} must be an ISO-8601 date time, got "{text}".') from None


def thread_test(threads: Threads, filters: Fields) -> Test:
    """Every key given must match; and, or and not nest."""
    tests = [_THREAD_TESTS[name](threads, value) for name, value in filters.items() if value is not None]
    return lambda row: all(test(row) for test in tests)


def _both(threads: Threads, parts: list[Fields]) -> Test:
    tests = [thread_test(threads, part) for part in parts]
    return lambda row: all(test(row) for test in tests)


def _either(threads: Threads, parts: list[Fields]) -> Test:
    tests = [thread_test(threads, part) for part in parts]
    return lambda row: any(test(row) for test in tests)


def _not(threads: Threads, part: Fields) -> Test:
    test = thread_test(threads, part)
    return lambda row: not test(row)


def _of(read: Callable[[Threads, Row], Any]) -> Callable[[Threads, Iterable[Any]], Test]:
    """The value of a thread is one of those given."""

    def make(threads: Threads, wanted: Iterable[Any]) -> Test:
        known = set(wanted)
        return lambda row: read(threads, row) in known

    return make


def _window(name: str, read: Callable[[Row], int | None]) -> Callable[[Threads, Fields], Test]:
    def make(_: Threads, window: Fields) -> Test:
        test = in_window(window, name)
        return lambda row: test(read(row))

    return make


def _never(_: Threads, wanted: Any) -> Test:
    """What the simulated company does not use: nothing matches, unless nothing was asked for."""
    return lambda _row: not wanted


def _assignee(threads: Threads, row: Row) -> str | None:
    agent = row.state.assignee
    return None if agent is None else threads.facts.user_id(agent)


def _is_assigned(_: Threads, wanted: bool) -> Test:
    return lambda row: (row.state.assignee is not None) is wanted


def _is_spam(threads: Threads, wanted: bool) -> Test:
    return lambda row: (threads.people.spam_since(row.ticket.contact) is not None) is wanted


def _detail(row: Row) -> tuple[str, str]:
    state = row.state
    return detail_of(state.status, state.status_by, state.snoozed_until)


def _labels(threads: Threads, wanted: list[str]) -> Test:
    known = set(wanted)
    return lambda row: any(threads.facts.label_type_id(tag) in known for tag in row.state.tags)


def _participants(threads: Threads, wanted: list[str]) -> Test:
    known = set(wanted)

    def test(row: Row) -> bool:
        for message in row.state.messages:
            role, who = message.author
            if role is Role.CONTACT and threads.facts.customer_id(who) in known:
                return True
            if role is Role.AGENT and threads.facts.user_id(who) in known:
                return True
        return False

    return test


def _sources(_: Threads, wanted: list[str]) -> Test:
    known = set(wanted)
    return lambda row: CHANNELS[row.ticket.channel].replace("IMPORT", "EMAIL") in known


def _companies(threads: Threads, wanted: list[Fields]) -> Test:
    return lambda row: company_matches(threads.people, row.ticket.account, wanted)


def company_matches(people: People, account: int, wanted: list[Fields]) -> bool:
    company = people.facts.company_account(people.facts.world.directory.accounts[account], people.at)
    if company is None:
        return False
    ours = people.facts.company_id(company.index), company.domains[0]
    return any(
        identifier.get("companyId") == ours[0] or identifier.get("companyDomainName") == ours[1]
        for identifier in wanted
    )


def _tenants(threads: Threads, wanted: list[Fields]) -> Test:
    return lambda row: tenant_matches(threads.people, row.state.account, wanted)


def tenant_matches(people: People, index: int, wanted: list[Fields]) -> bool:
    account = people.facts.world.directory.accounts[index]
    if account.crm_id is None:
        return False
    ours = people.facts.tenant_id(index)
    return any(
        identifier.get("tenantId") == ours or identifier.get("externalId") == account.crm_id for identifier in wanted
    )


def _tiers(threads: Threads, wanted: list[Fields]) -> Test:
    accounts = threads.world.directory.accounts

    def test(row: Row) -> bool:
        segment = accounts[row.state.account].segment
        ours = threads.facts.tier_id(segment)
        return any(tier.get("tierId") == ours or tier.get("externalId") == segment.value for tier in wanted)

    return test


def _addresses(_: Threads, wanted: list[str]) -> Test:
    return lambda row: row.ticket.channel == "email" and f"support@{COMPANY_DOMAIN}" in wanted


def _fields(_: Threads, wanted: list[Fields]) -> Test:
    tests = [_field(one) for one in wanted]
    return lambda row: all(test(row) for test in tests)


def _field(wanted: Fields) -> Test:
    kinds = {field.slug: field_type(field) for field in THREAD_FIELDS}
    texts = {text for text in (wanted.get("stringValue"), *(wanted.get("stringValues") or ())) if text is not None}
    number = wanted.get("number")

    def test(row: Row) -> bool:
        values = row.state.fields.get(wanted["key"])
        if values is None:
            return False
        if number is not None:
            if kinds[wanted["key"]] != "NUMBER":
                return False
            value, low, high = float(values[0]), number.get("gte"), number.get("lte")
            exact = number.get("value")
            return (low is None or low <= value) and (high is None or value <= high) and exact in (None, value)
        if wanted.get("booleanValue") is not None or wanted.get("date") is not None:
            return False
        return not texts or ", ".join(values) in texts

    return test


def _links(_: Threads, wanted: list[Fields]) -> Test:
    known = {(link["sourceType"], link["sourceId"]) for link in wanted}
    return lambda row: any((link.source, link.key) in known for link in row.state.links)


def _slas(threads: Threads, wanted: Fields) -> Test:
    statuses, types = wanted.get("statuses"), wanted.get("types")
    test = in_window(wanted["updatedAt"], "updatedAt") if wanted.get("updatedAt") else None

    def matches(row: Row) -> bool:
        sla = sla_of(row.state)
        if types is not None and "FIRST_RESPONSE_TIME" not in types:
            return False
        if statuses is not None and sla.status(threads.at) not in statuses:
            return False
        moved = [at for at in (sla.met, sla.cancelled, sla.due) if at is not None and at <= threads.at]
        return test is None or test(max(moved, default=row.ticket.created))

    return matches


def _survey(threads: Threads, wanted: Fields) -> Test:
    window = in_window(wanted["responseAt"], "responseAt") if wanted.get("responseAt") else None

    def test(row: Row) -> bool:
        survey = row.state.surveys[-1] if row.state.surveys else None
        score = None if survey is None else survey.score
        checks = (
            wanted.get("hasResponse") in (None, score is not None),
            wanted.get("rating") in (None, score),
            wanted.get("sentiment") in (None, sentiment(score)),
            wanted.get("surveyId") is None or (survey is not None and wanted["surveyId"] == threads.facts.survey_id),
            window is None or window(None if survey is None else survey.answered),
        )
        return all(checks)

    return test


_THREAD_TESTS: dict[str, Callable[[Threads, Any], Test]] = {
    "and": _both,
    "or": _either,
    "not": _not,
    "agentStatus": _never,
    "customerGroupIdentifiers": _never,
    "tenantFields": _never,
    "threadLinkGroupIds": _never,
    "createdAt": _window("createdAt", lambda row: row.ticket.created),
    "updatedAt": _window("updatedAt", lambda row: row.updated),
    "statusChangedAt": _window("statusChangedAt", lambda row: row.state.status_since),
    "statuses": _of(lambda _, row: _detail(row)[0]),
    "statusDetails": _of(lambda _, row: _detail(row)[1]),
    "priorities": _of(lambda _, row: PRIORITY_NUMBER.get(row.state.priority or "", 2)),
    "threadIds": _of(lambda threads, row: threads.world.thread_id(row.ticket.index)),
    "refs": _of(lambda _, row: f"T-{row.ticket.number}"),
    "customerIds": _of(lambda threads, row: threads.facts.customer_id(row.ticket.contact)),
    "assignedToUser": _of(_assignee),
    "isAssigned": _is_assigned,
    "isMarkedAsSpam": _is_spam,
    "labelTypeIds": _labels,
    "participantIds": _participants,
    "messageSource": _sources,
    "companyIdentifiers": _companies,
    "tenantIdentifiers": _tenants,
    "tierIdentifiers": _tiers,
    "supportEmailAddresses": _addresses,
    "threadFields": _fields,
    "threadLinkSources": _links,
    "serviceLevelAgreements": _slas,
    "surveyResponse": _survey,
}


def sort_value(row: Row, sort: Fields) -> tuple[bool, int | str]:
    """What a thread is sorted by. Threads without a value stand after those with one, whatever the direction."""
    value: int | str | None
    match sort["field"]:
        case "CREATED_AT":
            value = row.ticket.created
        case "STATUS_CHANGED_AT":
            value = row.state.status_since
        case "LAST_INBOUND_MESSAGE_AT":
            stamps = [m.stamp for m in row.state.messages if m.is_public and m.author.role is Role.CONTACT]
            value = max(stamps, default=None)
        case "PRIORITY":
            value = PRIORITY_NUMBER.get(row.state.priority or "", 2)
        case "CLOSEST_TO_BREACH_SLA":
            sla = sla_of(row.state)
            value = sla.due if sla.met is None and sla.cancelled is None else None
        case _:
            key = sort.get("threadFieldKey")
            if key is None:
                raise bad_input("threadFieldKey is required when sorting by THREAD_FIELD.")
            values = row.state.fields.get(key)
            value = None if values is None else ", ".join(values)
    missing = value is None
    return (
        (missing is (sort["direction"] == "ASC"), "" if sort["field"] == "THREAD_FIELD" else 0)
        if value is None
        else (sort["direction"] != "ASC", value)
    )
