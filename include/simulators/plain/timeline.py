"""What happened in a thread, entry by entry."""

from ..world import ids
from ..world.lifecycle import SYSTEM, Actor, Event, Kind
from ..world.plan import Ticket
from ..world.state import Message, State
from .connection import connection as page
from .links import Links
from .messages import Messages
from .people import PRIORITY_NUMBER, Fields, People, moment
from .status import Detail, detail_fields, detail_of, sla_of

_MESSAGE_TYPES = frozenset(
    {"EmailEntry", "ChatEntry", "SlackMessageEntry", "SlackReplyEntry", "MSTeamsMessageEntry", "DiscordMessageEntry"}
    | {"CustomEntry", "MergedThreadMessageEntry", "HelpCenterAiConversationMessageEntry"}
)
_ENTRY_TYPES = {"MSTeamsMessageEntry": "MS_TEAMS_MESSAGE"}


class _Before:
    """What a transition starts from: carried along while a timeline is told."""

    def __init__(self) -> None:
        self.status = Detail("TODO", "CREATED")
        self.since: int | None = None
        self.until: int | None = None
        self.agent: int | None = None
        self.priority = 2
        self.tags: tuple[str, ...] = ()


class Timelines:
    def __init__(self, people: People, *, drift: bool = False) -> None:
        self.people = people
        self._drift = drift
        self.facts = people.facts
        self.world = people.facts.world
        self.at = people.at
        self.messages = Messages(people)
        self.links = Links(people)

    def connection(self, entries: list[Fields], filters: Fields | None, paging: Fields) -> Fields:
        return page(
            [entry for entry in entries if _wanted(entry, filters or {})],
            "timeline_entries",
            lambda entry: (entry["timestamp"]["iso8601"], entry["id"]),
            _same,
            paging,
        )

    def of(self, state: State) -> list[Fields]:
        """Every entry a thread has, oldest first."""
        ticket = state.ticket
        kept = {message.position: message for message in state.messages}
        entries: list[Fields] = []
        before = _Before()
        for number, event in enumerate(self.world.events(ticket.index)):
            if event.at > self.at:
                break
            entry = self._entry(state, event, kept, before)
            if entry is not None:
                entries.append(self._wrapped(ticket, event.stamp, event.actor, entry, number))
            if event.kind is Kind.ABSORBED:
                entries += self._merged_entries(ticket, event.number)
        entries += self._sla_entries(state)
        if self._drift:
            entry = {"__typename": "SimFutureEntry", "simNote": "of a kind yet to come"}
            entries.append(self._wrapped(ticket, ticket.created, SYSTEM, entry, 990_000))
        entries.sort(key=lambda entry: (entry["timestamp"]["iso8601"], entry["id"]))
        return entries

    def _wrapped(self, ticket: Ticket, at: int, actor: Actor, entry: Fields, number: int) -> Fields:
        return {
            "id": ids.ulid(self.world.seed, "t", at, ticket.index, number),
            "threadId": self.world.thread_id(ticket.index),
            "customerId": self.facts.customer_id(ticket.contact),
            "timestamp": moment(at),
            "actor": self.people.actor(actor),
            "entry": entry,
            "llmText": entry.get("text") or entry.get("textContent"),
        }

    def _entry(self, state: State, event: Event, kept: dict[int, Message], before: _Before) -> Fields | None:
        ticket = state.ticket
        match event.kind:
            case Kind.MESSAGE:
                return self.messages.entry(state, event, kept.get(event.number))
            case Kind.STATE:
                return self._status_entry(ticket, event, before)
            case Kind.ASSIGNED:
                was_agent, before.agent = before.agent, event.number if event.number >= 0 else None
                return {
                    "__typename": "ThreadAssignmentTransitionedEntry",
                    "previousAssignee": self.people.assignee(was_agent),
                    "nextAssignee": self.people.assignee(before.agent),
                }
            case Kind.PRIORITY:
                was_priority, before.priority = before.priority, PRIORITY_NUMBER[event.value]
                return {
                    "__typename": "ThreadPriorityChangedEntry",
                    "previousPriority": was_priority,
                    "nextPriority": before.priority,
                }
            case Kind.TAGGED:
                was_tags, before.tags = before.tags, event.values
                return {
                    "__typename": "ThreadLabelsChangedEntry",
                    "previousLabels": [self.people.label(state, tag) for tag in was_tags],
                    "nextLabels": [self.people.label(state, tag) for tag in event.values],
                }
            case Kind.SURVEYED:
                response = self.facts.response_id(ticket, event.at)
                return {
                    "__typename": "CustomerSurveyRequestedEntry",
                    "customerId": self.facts.customer_id(ticket.contact),
                    "customerSurveyId": self.facts.survey_id,
                    "surveyResponseId": response,
                    "surveyResponsePublicId": response.lower(),
                    "threadId": self.world.thread_id(ticket.index),
                }
            case Kind.ESCALATED:
                source, key, url = event.values
                link = self.links.tracker(ticket, source, key, url, event.at)
                return {"__typename": "ThreadLinkCreatedEntry", "threadLink": link}
            case Kind.MERGED:
                return {"__typename": "ThreadLinkCreatedEntry", "threadLink": self.links.merge(ticket)}
            case Kind.INCIDENT:
                return self._event_entry(ticket, event)
        return None

    def _status_entry(self, ticket: Ticket, event: Event, before: _Before) -> Fields:
        until = event.number if event.number >= 0 else None
        previous = detail_fields(ticket, before.status, before.since or ticket.created, before.until)
        was = before.status.status
        before.status, before.since, before.until = detail_of(event.value, event.actor, until), event.at, until
        return {
            "__typename": "ThreadStatusTransitionedEntry",
            "previousStatus": was,
            "previousStatusDetail": previous,
            "nextStatus": before.status.status,
            "nextStatusDetail": detail_fields(ticket, before.status, event.at, until),
        }

    def _event_entry(self, ticket: Ticket, event: Event) -> Fields:
        component = {
            "__typename": "ComponentLinkButton",
            "linkButtonLabel": event.values[1],
            "linkButtonUrl": event.values[2],
        }
        return {
            "__typename": "ThreadEventEntry",
            "timelineEventId": ids.ulid(self.world.seed, "tev", event.at, ticket.index),
            "title": f"Incident {event.values[1]}",
            "customerId": self.facts.customer_id(ticket.contact),
            "externalId": event.values[1],
            "isCollapsed": False,
            "components": [component],
        }

    def _merged_entries(self, ticket: Ticket, part: int) -> list[Fields]:
        """The messages of a thread merged into this one: each is in both timelines."""
        other = self.world.tickets[part]
        if other.fate_at > self.at:
            return []
        state = self.world.state(part, other.fate_at)
        details = {
            "id": self.world.thread_id(part),
            "ref": f"T-{other.number}",
            "title": self.world.title(other),
        }
        merged = []
        for number, message in enumerate(state.messages):
            if not message.is_public:
                continue
            entry = self.messages.entry(state, None, message)
            child = (
                None
                if entry is None
                else self._wrapped(
                    other, message.stamp, message.author, entry, self._event_number(part, message.position)
                )
            )
            merged.append(
                self._wrapped(
                    ticket,
                    message.stamp,
                    message.author,
                    {
                        "__typename": "MergedThreadMessageEntry",
                        "threadLinkId": self.links.merge_id(other),
                        "childThreadDetails": details,
                        # Plain does not promise the original; every seventh has lost it here.
                        "childTimelineEntry": child if (part + number) % 7 else None,
                    },
                    1_000 + part * 100 + number,
                )
            )
        return merged

    def _event_number(self, ticket: int, position: int) -> int:
        events = self.world.events(ticket)
        return next(k for k, event in enumerate(events) if event.kind is Kind.MESSAGE and event.number == position)

    def _sla_entries(self, state: State) -> list[Fields]:
        sla = sla_of(state)
        steps: list[tuple[int, str]] = []
        if sla.met is not None and sla.met <= sla.due:
            steps.append((sla.met, "ACHIEVED"))
        elif (sla.cancelled or self.at + 1) <= sla.due:
            if sla.cancelled is not None:
                steps.append((sla.cancelled, "CANCELLED"))
        elif sla.due <= self.at:
            steps.append((sla.due, "BREACHING"))
            if sla.met is not None:
                steps.append((sla.met, "BREACHED"))
        entries, was = [], "PENDING"
        for number, (at, status) in enumerate(steps):
            entry = {
                "__typename": "ServiceLevelAgreementStatusTransitionedEntry",
                "previousStatus": was,
                "nextStatus": status,
                "serviceLevelAgreement": self.people.sla(sla.priority),
            }
            entries.append(self._wrapped(state.ticket, at, SYSTEM, entry, 900_000 + number))
            was = status
        return entries


def entry_type(typename: str) -> str:
    """An entry's value of TimelineEntryType: its typename without the ending, in capitals."""
    if typename in _ENTRY_TYPES:
        return _ENTRY_TYPES[typename]
    words = "".join(f"_{c}" if c.isupper() else c for c in typename.removesuffix("Entry"))
    return words.strip("_").upper()


def _wanted(entry: Fields, filters: Fields) -> bool:
    typename = entry["entry"]["__typename"]
    if filters.get("entryTypes") is not None:
        return entry_type(typename) in filters["entryTypes"]
    if filters.get("isMessage") is not None:
        return (typename in _MESSAGE_TYPES) is filters["isMessage"]
    return True


def _same(item: Fields) -> Fields:
    return item
