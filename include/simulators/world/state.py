"""One ticket as it stood at an instant: its events up to then, folded."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .lifecycle import SYSTEM, Actor, Event, Kind, Role
from .plan import Ticket
from .statuses import STATUSES


@dataclass(slots=True)
class Message:
    ticket: int  # the ticket it was written in; after a merge not the one that shows it
    position: int
    author: Actor
    visibility: str
    stamp: int
    seen_from: int
    edited: int | None = None
    redacted: int | None = None

    @property
    def is_public(self) -> bool:
        return self.visibility != "private"


@dataclass(slots=True)
class Survey:
    sent: int
    score: int | None = None
    comment: str = ""
    answered: int | None = None


@dataclass(slots=True)
class Link:
    at: int
    source: str  # plain, linear or jira
    key: str = ""
    link: str = ""
    origin: int = -1  # the Plain ticket meant, for source plain
    overlap: str = ""


@dataclass(slots=True)
class Resolution:
    at: int
    reopened: int | None = None


@dataclass(slots=True)
class State:
    ticket: Ticket
    at: int
    account: int
    events: int = 0
    updated: int = 0
    status: str = "new"
    status_since: int = 0
    status_by: Actor = SYSTEM
    snoozed_until: int | None = None
    priority: str | None = None
    priority_since: int = 0
    assignee: int | None = None
    assigned_at: int | None = None
    team: int | None = None
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    tagged_at: int | None = None
    messages: list[Message] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    incidents: list[tuple[str, ...]] = field(default_factory=list)
    surveys: list[Survey] = field(default_factory=list)
    resolutions: list[Resolution] = field(default_factory=list)
    time_in_status: dict[str, int] = field(default_factory=dict)
    first_response: int | None = None  # the vendor's reading: the first public answer, a bot's included
    first_human_response: int | None = None
    touches: int = 0
    absorbed: list[int] = field(default_factory=list)
    ended: Kind | None = None
    merged_into: int | None = None

    @property
    def is_open(self) -> bool:
        return STATUSES[self.status].category != "closed"

    @property
    def resolved(self) -> int | None:
        """When the current resolution happened; nothing while the ticket is open again."""
        return self.resolutions[-1].at if self.resolutions and self.resolutions[-1].reopened is None else None


def fold(ticket: Ticket, events: Sequence[Event], at: int, quiet: frozenset[Kind] = frozenset()) -> State:
    """The state at an instant. Kinds named quiet happen without moving the record's updated_at."""
    state = State(ticket, at, ticket.account, status_since=ticket.born)
    for event in events:
        if event.at > at:
            break
        state.events += 1
        if event.kind not in quiet:
            state.updated = event.at
        _apply(state, event)
    _spend(state, at)
    return state


def _apply(state: State, event: Event) -> None:
    match event.kind:
        case Kind.MESSAGE:
            _message(state, event)
        case Kind.STATE:
            _status(state, event)
        case Kind.FIELD:
            state.fields[event.values[0]] = event.values[1:]
        case Kind.PRIORITY:
            state.priority, state.priority_since = event.value, event.at
        case Kind.ASSIGNED:
            state.assignee = event.number if event.number >= 0 else None
            state.assigned_at = event.at if event.number >= 0 else None
        case Kind.TEAM:
            state.team = event.number
        case Kind.TAGGED:
            state.tags, state.tagged_at = event.values, event.at
        case Kind.ESCALATED:
            source, *rest = event.values
            key, link = rest or ("", "")
            state.links.append(Link(event.at, source, key, link, event.number, event.value))
        case Kind.INCIDENT:
            state.incidents.append(event.values)
        case Kind.SURVEYED:
            state.surveys.append(Survey(event.at))
        case Kind.ANSWERED:
            survey = state.surveys[-1]
            survey.score, survey.comment, survey.answered = event.number, event.value, event.at
        case Kind.EDITED | Kind.REDACTED | Kind.REMOVED:
            _change_message(state, event)
        case Kind.PURGED:
            state.messages.clear()
        case Kind.ACCOUNT:
            state.account = event.number
        case Kind.ABSORBED:
            state.absorbed.append(event.number)
        case Kind.MERGED:
            state.ended, state.merged_into = event.kind, event.number
        case Kind.SPAM | Kind.DELETED | Kind.ERASED:
            state.ended = event.kind
        case Kind.RESTORED:
            state.ended = None


def _message(state: State, event: Event) -> None:
    role = event.actor.role
    state.messages.append(
        Message(state.ticket.index, event.number, event.actor, event.value, event.stamp, event.at),
    )
    if event.value == "private":
        return
    if role is not Role.CONTACT:
        if state.first_response is None and event.number > 0:
            state.first_response = event.stamp
        if role is Role.AGENT:
            state.touches += 1
            if state.first_human_response is None and event.number > 0:
                state.first_human_response = event.stamp


def _change_message(state: State, event: Event) -> None:
    for message in state.messages:
        if message.position == event.number:
            match event.kind:
                case Kind.EDITED:
                    message.edited = event.at
                case Kind.REDACTED:
                    message.redacted = event.at
                case _:
                    state.messages.remove(message)
            return


def _status(state: State, event: Event) -> None:
    was_open, is_open = state.is_open, STATUSES[event.value].category != "closed"
    _spend(state, event.at)
    state.status, state.status_since, state.status_by = event.value, event.at, event.actor
    state.snoozed_until = event.number if event.number >= 0 else None
    if was_open and not is_open:
        state.resolutions.append(Resolution(event.at))
    elif is_open and not was_open:
        state.resolutions[-1].reopened = event.at


def _spend(state: State, until: int) -> None:
    """Book the time since the last change of status on the status it was spent in; closed time is not counted."""
    spent = until - state.status_since
    if spent > 0 and state.is_open:
        state.time_in_status[state.status] = state.time_in_status.get(state.status, 0) + spent
