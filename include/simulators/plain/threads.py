"""Threads and their timelines, in Plain's shape."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from ..world import ids
from ..world.calendar import business_instant
from ..world.directory import COMPANY_DOMAIN
from ..world.fields import TAGS
from ..world.lifecycle import SYSTEM, Actor, Event, Kind, Role
from ..world.plan import Ticket
from ..world.state import Message, State, Survey
from ..world.statuses import is_open
from ..world.times import MINUTE, SECOND
from .connection import connection
from .people import (
    FIRST_RESPONSE_MINUTES,
    PRIORITY_NUMBER,
    THREAD_FIELDS,
    Fields,
    People,
    field_type,
    maybe,
    moment,
)

CHANNELS = {
    "email": "EMAIL",
    "slack": "SLACK",
    "chat_widget": "CHAT",
    "form": "API",
    "microsoft_teams": "MS_TEAMS",
    "discord": "DISCORD",
    "import": "IMPORT",
}
_SOURCES = CHANNELS | {"import": "EMAIL"}  # a message never has IMPORT as its source
_AUTOMATIC_CLOSE_SECONDS = 7 * 86_400
_MESSAGE_TYPES = frozenset(
    {"EmailEntry", "ChatEntry", "SlackMessageEntry", "SlackReplyEntry", "MSTeamsMessageEntry", "DiscordMessageEntry"}
    | {"CustomEntry", "MergedThreadMessageEntry", "HelpCenterAiConversationMessageEntry"}
)
_ENTRY_TYPES = {"MSTeamsMessageEntry": "MS_TEAMS_MESSAGE"}


class Detail(NamedTuple):
    """A status as Plain tells it: the coarse one, and the type of its detail."""

    status: str
    detail: str

    @property
    def typename(self) -> str:
        words = self.detail.split("_")
        return "ThreadStatusDetail" + "".join(word.capitalize() for word in words)


def detail_of(slug: str, by: Actor, until: int | None) -> Detail:
    match slug:
        case "new":
            return Detail("TODO", "CREATED")
        case "waiting_on_you":
            return Detail("TODO", "NEW_REPLY")
        case "in_progress":
            return Detail("TODO", "IN_PROGRESS")
        case "waiting_on_customer":
            return Detail("SNOOZED", "WAITING_FOR_CUSTOMER")
        case "nar" | "wont-fix":
            return Detail("DONE", "IGNORED")
        case _ if not is_open(slug):
            return Detail("DONE", "DONE_AUTOMATICALLY_SET" if by.role is Role.SYSTEM else "DONE_MANUALLY_SET")
    return Detail("SNOOZED", "WAITING_INDEFINITELY" if until is None else "WAITING_FOR_DURATION")


class Sla(NamedTuple):
    """The clock on the first answer of a human: working time only, by the priority the thread has now."""

    priority: int
    due: int
    met: int | None  # when a human first answered
    cancelled: int | None  # when the thread was closed without an answer

    def status(self, at: int) -> str:
        if self.met is not None:
            return "ACHIEVED" if self.met <= self.due else "BREACHED"
        if self.cancelled is not None:
            return "CANCELLED"
        if at >= self.due:
            return "BREACHING"
        return "IMMINENT_BREACH" if at >= self.due - 30 * MINUTE else "PENDING"


def sla_of(state: State) -> Sla:
    ticket = state.ticket
    priority = PRIORITY_NUMBER.get(state.priority or "", 2)
    minutes = FIRST_RESPONSE_MINUTES[priority]
    # A message that was deleted later has still stopped the clock, so this looks at what the state kept of it.
    met = state.first_human_response
    cancelled = None if state.is_open or met is not None else state.status_since
    return Sla(priority, business_instant(ticket.created, minutes * MINUTE), met, cancelled)


class Threads:
    """Turns the states of threads into what a query may select from."""

    def __init__(self, people: People, *, drift: bool = False) -> None:
        self.people = people
        self._drift = drift
        self.facts = people.facts
        self.world = people.facts.world
        self.at = people.at

    def thread(self, state: State) -> Fields:
        ticket, world = state.ticket, self.world
        detail = self._detail(state)
        fields: Fields = {
            "id": world.thread_id(ticket.index),
            "ref": f"T-{ticket.number}",
            "title": world.title(ticket),
            "description": None,
            "previewText": lambda _info: self._preview(state),
            "externalId": f"ext-{ticket.index}" if ticket.channel in ("form", "import") else None,
            "priority": PRIORITY_NUMBER.get(state.priority or "", 2),
            "status": detail.status,
            "statusChangedAt": moment(state.status_since),
            "statusChangedBy": self.people.actor(state.status_by),
            "statusDetail": self._status_detail(state, detail),
            "channel": CHANNELS[ticket.channel],
            "channelDetails": self._channel_details(ticket),
            "customer": lambda _info: self.people.customer(world.directory.contacts[ticket.contact]),
            "createdAt": moment(ticket.created),
            "createdBy": self.people.actor(Actor(Role.CONTACT, ticket.contact)),
            "updatedAt": moment(state.updated),
            "updatedBy": self.people.system,
            "assignedTo": lambda _info: self._assignee(state.assignee),
            "assignedAt": maybe(state.assigned_at),
            "additionalAssignees": [],
            "labels": lambda _info: [self._label(state, tag) for tag in state.tags],
            "threadFields": lambda _info: list(self._thread_fields(state)),
            "tenant": lambda _info: self._tenant(state),
            "tier": lambda _info: self.people.tier(world.directory.accounts[state.account].segment),
            "supportEmailAddresses": [f"support@{COMPANY_DOMAIN}"] if ticket.channel == "email" else [],
            "surveyResponse": lambda _info: self._survey_response(state),
            "serviceLevelAgreementStatusSummary": lambda _info: self._sla_summary(state),
            "links": partial(self._links, state),
            "participants": partial(self._participants, state),
            "timelineEntries": partial(self._timeline, state),
        }
        fields.update(self._message_infos(state))
        return fields

    # -- parts of a thread

    def _detail(self, state: State) -> Detail:
        return detail_of(state.status, state.status_by, state.snoozed_until)

    def _status_detail(self, state: State, detail: Detail) -> Fields:
        return self._detail_fields(state.ticket, detail, state.status_since, state.snoozed_until)

    def _detail_fields(self, ticket: Ticket, detail: Detail, since: int, until: int | None) -> Fields:
        fields: Fields = {"__typename": detail.typename, "statusChangedAt": moment(since)}
        match detail.detail:
            case "CREATED":
                fields["createdAt"] = moment(ticket.created)
            case "WAITING_FOR_DURATION":
                fields["waitingUntil"] = maybe(until)
            case "DONE_AUTOMATICALLY_SET":
                fields["afterSeconds"] = _AUTOMATIC_CLOSE_SECONDS
        return fields

    def _channel_details(self, ticket: Ticket) -> Fields | None:
        number = f"{ticket.account:09d}"
        match ticket.channel:
            case "slack":
                return {
                    "__typename": "SlackThreadChannelDetails",
                    "slackChannelId": f"C{number}",
                    "slackChannelName": f"ext-{ticket.account}",
                    "slackTeamId": "T0SIM00001",
                    "slackTeamName": "Northwind",
                }
            case "microsoft_teams":
                return {
                    "__typename": "MSTeamsThreadChannelDetails",
                    "msTeamsChannelId": f"19:{number}@thread",
                    "msTeamsChannelName": f"ext-{ticket.account}",
                    "msTeamsMessageType": "CHANNELS",
                    "msTeamsTeamId": f"team-{number}",
                    "msTeamsTeamName": "Northwind",
                }
            case "discord":
                return {
                    "__typename": "DiscordThreadChannelDetails",
                    "discordChannelId": number,
                    "discordChannelName": None,
                    "discordGuildId": "1",
                }
            case "chat_widget":
                return {
                    "__typename": "ChatThreadChannelDetails",
                    "customerReadAt": moment(ticket.created + 10 * SECOND),
                }
            case "import":
                return {
                    "__typename": "ImportThreadChannelDetails",
                    "importIntegrationKey": "old-desk",
                    "importSourceUrl": f"https://old-desk.example/{ticket.number}",
                }
        return None

    def _preview(self, state: State) -> str | None:
        message = next((m for m in reversed(state.messages) if m.is_public), None)
        return None if message is None else self._text(message)[:500]

    def _assignee(self, agent: int | None) -> Fields | None:
        if agent is None:
            return None
        return {"__typename": "User", **self.people.user(self.world.directory.agents[agent])}

    def _label(self, state: State, tag: str) -> Fields:
        added = state.tagged_at or state.ticket.created
        return {
            "id": ids.ulid(self.world.seed, "l", added, state.ticket.index, TAGS.index(tag)),
            "labelType": self.people.label_type(tag),
            **self.people.stamps(added),
        }

    def _thread_fields(self, state: State) -> Iterator[Fields]:
        for position, field in enumerate(THREAD_FIELDS):
            values = state.fields.get(field.slug)
            if values is None:
                continue
            kind = field_type(field)
            yield {
                "id": ids.ulid(self.world.seed, "tf", state.ticket.created, state.ticket.index, position),
                "threadId": self.world.thread_id(state.ticket.index),
                "key": field.slug,
                "type": kind,
                "stringValue": ", ".join(values) if kind in ("STRING", "ENUM") else None,
                "numberValue": float(values[0]) if kind == "NUMBER" else None,
                "booleanValue": values[0] == "true" if kind == "BOOL" else None,
                "dateValue": None,
                "isAiGenerated": field.slug == "category",
                **self.people.stamps(state.ticket.created, state.updated),
            }

    def _tenant(self, state: State) -> Fields | None:
        account = self.world.directory.accounts[state.account]
        return self.people.tenant(account) if account.crm_id is not None else None

    def _message_infos(self, state: State) -> Fields:
        source = _SOURCES[state.ticket.channel]
        infos: Fields = {}
        for name, inbound in (("Inbound", True), ("Outbound", False)):
            stamps = [m.stamp for m in state.messages if m.is_public and (m.author.role is Role.CONTACT) == inbound]
            for which, pick in (("first", min), ("last", max)):
                info = {"messageSource": source, "timestamp": moment(pick(stamps))} if stamps else None
                infos[f"{which}{name}MessageInfo"] = info
        return infos

    def _survey_response(self, state: State) -> Fields | None:
        if not state.surveys:
            return None
        survey = state.surveys[-1]
        author = self.people.actor(Actor(Role.CONTACT, state.ticket.contact))
        return {
            "id": self._response_id(state.ticket, survey),
            "surveyId": self.facts.survey_id,
            "rating": survey.score,
            "comment": self.world.prose_for("csat", state.ticket.index, 0) if survey.comment else None,
            "sentiment": sentiment(survey.score),
            "respondedAt": maybe(survey.answered),
            **self.people.stamps(survey.sent, survey.answered, author),
        }

    def _response_id(self, ticket: Ticket, survey: Survey) -> str:
        return ids.ulid(self.world.seed, "sr", survey.sent, ticket.index)

    def _sla_summary(self, state: State) -> Fields:
        sla = sla_of(state)
        kind = "ServiceLevelAgreementStatusDetail"
        match sla.status(self.at):
            case "ACHIEVED":
                detail: Fields = {"__typename": f"{kind}Achieved", "achievedAt": maybe(sla.met)}
            case "BREACHED":
                detail = {
                    "__typename": f"{kind}Breached",
                    "breachedAt": moment(sla.due),
                    "completedAt": maybe(sla.met),
                }
            case "CANCELLED":
                detail = {"__typename": f"{kind}Cancelled", "cancelledAt": maybe(sla.cancelled)}
            case "BREACHING":
                detail = {"__typename": f"{kind}Breaching", "breachedAt": moment(sla.due)}
            case status:
                name = "ImminentBreach" if status == "IMMINENT_BREACH" else "Pending"
                detail = {"__typename": kind + name, "breachingAt": moment(sla.due)}
        return {"firstResponseTime": detail, "nextResponseTime": None}

    # -- links and participants

    def _links(self, state: State, _info: Any, **paging: Any) -> Fields:
        links = [self._tracker_link(state.ticket, link.source, link.key, link.link, link.at) for link in state.links]
        if state.merged_into is not None:
            links.append(self._merge_link(state.ticket))
        return connection(links, "thread_links", lambda link: (link["createdAt"]["iso8601"], link["id"]), _same, paging)

    def _tracker_link(self, ticket: Ticket, source: str, key: str, url: str, at: int) -> Fields:
        number = int(key.rsplit("-", 1)[1])
        common = {
            "id": ids.ulid(self.world.seed, "tl", at, ticket.index, number),
            "threadId": self.world.thread_id(ticket.index),
            "title": f"{key}: follow-up",
            "description": None,
            "url": url,
            "status": "IN_PROGRESS",
            "linkType": "RELATED_TO",
            "sourceId": key,
            "sourceType": source,
            **self.people.stamps(at),
        }
        if source == "jira":
            kind = {"name": "Bug", "iconUrl": "https://jira.example/bug.svg"}
            return {"__typename": "JiraIssueThreadLink", "jiraIssueId": str(number), "jiraIssueKey": key} | (
                common | {"jiraIssueType": kind}
            )
        return {
            "__typename": "LinearIssueThreadLink",
            "linearIssueId": ids.uuid(self.world.seed, "linear", number),
            "linearIssueIdentifier": key,
            "linearIssueUrl": url,
            "linearIssueState": {"type": "STARTED", "label": "In progress", "color": "#f2c94c"},
            "linearIssueCreatedAt": moment(at),
            "linearIssueUpdatedAt": moment(at),
            **common,
        }

    def _merge_link_id(self, ticket: Ticket) -> str:
        return ids.ulid(self.world.seed, "tl", ticket.fate_at, ticket.index, 0)

    def _merge_link(self, ticket: Ticket) -> Fields:
        target = self.world.tickets[ticket.target]
        target_id = self.world.thread_id(target.index)
        return {
            "__typename": "PlainThreadThreadLink",
            "id": self._merge_link_id(ticket),
            "threadId": self.world.thread_id(ticket.index),
            "title": self.world.title(target),
            "description": None,
            "url": f"https://app.plain.com/workspace/{self.world.workspace_id}/thread/{target_id}/",
            "status": "TODO",
            "linkType": "MERGED_INTO",
            "sourceId": target_id,
            "sourceType": "plain_thread",
            "plainThreadId": target_id,
            "plainThreadStatusDetailType": "NEW_REPLY",
            **self.people.stamps(ticket.fate_at),
        }

    def _participants(self, state: State, _info: Any, **paging: Any) -> Fields:
        actors = dict.fromkeys(message.author for message in state.messages)
        return connection(list(actors), "participants", lambda a: (a.role.value, str(a.who)), self.people.actor, paging)

    # -- the timeline

    def _timeline(self, state: State, _info: Any, filters: Fields | None = None, **paging: Any) -> Fields:
        return self.timeline_connection(self.timeline(state), filters, paging)

    def timeline_connection(self, entries: list[Fields], filters: Fields | None, paging: Fields) -> Fields:
        return connection(
            [entry for entry in entries if _wanted(entry, filters or {})],
            "timeline_entries",
            lambda entry: (entry["timestamp"]["iso8601"], entry["id"]),
            _same,
            paging,
        )

    def timeline(self, state: State) -> list[Fields]:
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

    def _entry(self, state: State, event: Event, kept: dict[int, Message], before: "_Before") -> Fields | None:
        ticket = state.ticket
        match event.kind:
            case Kind.MESSAGE:
                return self._message_entry(state, event, kept.get(event.number))
            case Kind.STATE:
                return self._status_entry(ticket, event, before)
            case Kind.ASSIGNED:
                was_agent, before.agent = before.agent, event.number if event.number >= 0 else None
                return {
                    "__typename": "ThreadAssignmentTransitionedEntry",
                    "previousAssignee": self._assignee(was_agent),
                    "nextAssignee": self._assignee(before.agent),
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
                    "previousLabels": [self._label(state, tag) for tag in was_tags],
                    "nextLabels": [self._label(state, tag) for tag in event.values],
                }
            case Kind.SURVEYED:
                response = self._response_id(ticket, Survey(event.at))
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
                link = self._tracker_link(ticket, source, key, url, event.at)
                return {"__typename": "ThreadLinkCreatedEntry", "threadLink": link}
            case Kind.MERGED:
                return {"__typename": "ThreadLinkCreatedEntry", "threadLink": self._merge_link(ticket)}
            case Kind.INCIDENT:
                return self._event_entry(ticket, event)
        return None

    def _status_entry(self, ticket: Ticket, event: Event, before: "_Before") -> Fields:
        until = event.number if event.number >= 0 else None
        previous = self._detail_fields(ticket, before.status, before.since or ticket.created, before.until)
        was = before.status.status
        before.status, before.since, before.until = detail_of(event.value, event.actor, until), event.at, until
        return {
            "__typename": "ThreadStatusTransitionedEntry",
            "previousStatus": was,
            "previousStatusDetail": previous,
            "nextStatus": before.status.status,
            "nextStatusDetail": self._detail_fields(ticket, before.status, event.at, until),
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
            entry = self._message_entry(state, None, message)
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
                        "threadLinkId": self._merge_link_id(other),
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

    # -- messages

    def _text(self, message: Message) -> str:
        if message.redacted is not None:
            return "[redacted]"
        text = self.world.prose_for("body", message.ticket, message.position, 0)
        return f"{text} (edited)" if message.edited is not None else text

    def _message_entry(self, state: State, event: Event | None, message: Message | None) -> Fields | None:
        ticket = state.ticket
        if message is None:
            return self._removed_entry(ticket, event) if event is not None and state.ended is None else None
        text = self._text(message)
        if message.visibility == "private":
            return {
                "__typename": "NoteEntry",
                "noteId": self._id("n", message),
                "text": text,
                "markdown": None if message.position % 5 == 4 else text,
                "isEdited": message.edited is not None,
                "editedAt": maybe(message.edited),
                "editedBy": self.people.actor(message.author) if message.edited is not None else None,
                "attachments": [],
            }
        match ticket.channel:
            case "slack":
                return self._slack_entry(ticket, message, text)
            case "chat_widget":
                return {
                    "__typename": "ChatEntry",
                    "chatId": self._id("ch", message),
                    "text": None if (message.ticket + message.position) % 29 == 3 else text,
                    "customerReadAt": None,
                    "attachments": [],
                }
            case "microsoft_teams":
                return {
                    "__typename": "MSTeamsMessageEntry",
                    "msTeamsMessageId": self._id("ms", message),
                    "msTeamsMessageLink": f"https://teams.example/{ticket.index}/{message.position}",
                    "text": text,
                    "markdownContent": text,
                    "customerId": self.facts.customer_id(ticket.contact),
                    "hasUnprocessedAttachments": False,
                    "lastEditedOnMsTeamsAt": maybe(message.edited),
                    "deletedOnMsTeamsAt": None,
                    "attachments": [],
                }
            case "discord":
                return {
                    "__typename": "DiscordMessageEntry",
                    "discordMessageId": self._id("di", message),
                    "discordMessageLink": f"https://discord.example/{ticket.index}/{message.position}",
                    "markdownContent": text,
                    "customerId": self.facts.customer_id(ticket.contact),
                    "lastEditedOnDiscordAt": maybe(message.edited),
                    "deletedOnDiscordAt": None,
                    "attachments": [],
                }
            case "form" if message.position == 0:
                return {
                    "__typename": "CustomEntry",
                    "title": self.world.title(ticket),
                    "externalId": None,
                    "type": "contact-form",
                    "components": [
                        {"__typename": "ComponentText", "text": text, "textSize": "M", "textColor": "NORMAL"}
                    ],
                    "attachments": [],
                }
        return self._email_entry(ticket, message, text)

    def _id(self, prefix: str, message: Message) -> str:
        return ids.ulid(self.world.seed, prefix, message.stamp, message.ticket, message.position)

    def _slack_entry(self, ticket: Ticket, message: Message, text: str) -> Fields:
        link = f"https://slack.example/archives/C{ticket.account:09d}/p{message.stamp}"
        return {
            "__typename": "SlackReplyEntry" if message.position else "SlackMessageEntry",
            "text": text,
            "customerId": self.facts.customer_id(ticket.contact),
            "slackMessageLink": link,
            "slackWebMessageLink": link,
            "lastEditedOnSlackAt": maybe(message.edited),
            "deletedOnSlackAt": None,
            "reactions": [],
            "attachments": [],
        }

    def _removed_entry(self, ticket: Ticket, event: Event) -> Fields | None:
        """A message deleted in Slack stays as an entry that says so; anywhere else it is just gone."""
        if ticket.channel != "slack" or event.value == "private":
            return None
        removed = next(
            (
                later.at
                for later in self.world.events(ticket.index)
                if later.kind is Kind.REMOVED and later.number == event.number and later.at <= self.at
            ),
            None,
        )
        if removed is None:
            return None
        message = Message(ticket.index, event.number, event.actor, event.value, event.stamp, event.at)
        return self._slack_entry(ticket, message, "") | {"deletedOnSlackAt": moment(removed)}

    def _email_entry(self, ticket: Ticket, message: Message, text: str) -> Fields:
        contact = self.world.directory.contacts[ticket.contact]
        inbound = message.author.role is Role.CONTACT
        customer = {
            "name": contact.name,
            "email": contact.email,
            "emailActor": {
                "__typename": "CustomerEmailActor",
                "customerId": self.facts.customer_id(contact.index),
                "customer": lambda _info: self.people.customer(contact),
            },
        }
        address = f"support@{COMPANY_DOMAIN}"
        desk = {
            "name": None,
            "email": address,
            "emailActor": {"__typename": "SupportEmailAddressEmailActor", "supportEmailAddress": address},
        }
        sent = None if inbound else moment(message.stamp)
        return {
            "__typename": "EmailEntry",
            "emailId": self._id("em", message),
            "from": customer if inbound else desk,
            "to": desk if inbound else customer,
            "additionalRecipients": [],
            "hiddenRecipients": [],
            "subject": self.world.title(ticket),
            "textContent": text,
            "markdownContent": text,
            "fullTextContent": text,
            "fullMarkdownContent": text,
            "hasMoreTextContent": False,
            "hasMoreMarkdownContent": False,
            "category": "MESSAGING",
            "authenticity": "PASS" if message.position % 7 else "UNKNOWN",
            "receivedAt": moment(message.stamp) if inbound else None,
            "sentAt": sent,
            # Some outbound mail has no status, though it was sent.
            "sendStatus": None if inbound or message.position % 4 == 3 else "SENT",
            "bounces": [],
            "isStartOfThread": message.position == 0,
            "attachments": [],
        }


class _Before:
    """What a transition starts from: carried along while a timeline is told."""

    def __init__(self) -> None:
        self.status = Detail("TODO", "CREATED")
        self.since: int | None = None
        self.until: int | None = None
        self.agent: int | None = None
        self.priority = 2
        self.tags: tuple[str, ...] = ()


def sentiment(score: int | None) -> str | None:
    if score is None:
        return None
    return "NEGATIVE" if score < 3 else "NEUTRAL" if score == 3 else "POSITIVE"


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
