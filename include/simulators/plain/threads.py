"""Threads, in Plain's shape."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..world import ids
from ..world.directory import COMPANY_DOMAIN
from ..world.lifecycle import Actor, Role
from ..world.plan import Ticket
from ..world.state import State
from ..world.times import SECOND
from .connection import connection
from .messages import CHANNELS
from .people import PRIORITY_NUMBER, THREAD_FIELDS, Fields, People, field_type, maybe, moment
from .status import detail_fields, detail_of, sentiment, sla_of
from .timeline import Timelines

_SOURCES = CHANNELS | {"import": "EMAIL"}  # a message never has IMPORT as its source


class Threads:
    """Turns the states of threads into what a query may select from."""

    def __init__(self, people: People, *, drift: bool = False) -> None:
        self.people = people
        self.facts = people.facts
        self.world = people.facts.world
        self.at = people.at
        self.timelines = Timelines(people, drift=drift)

    def thread(self, state: State) -> Fields:
        ticket, world = state.ticket, self.world
        detail = detail_of(state.status, state.status_by, state.snoozed_until)
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
            "statusDetail": detail_fields(ticket, detail, state.status_since, state.snoozed_until),
            "channel": CHANNELS[ticket.channel],
            "channelDetails": self._channel_details(ticket),
            "customer": lambda _info: self.people.customer(world.directory.contacts[ticket.contact]),
            "createdAt": moment(ticket.created),
            "createdBy": self.people.actor(Actor(Role.CONTACT, ticket.contact)),
            "updatedAt": moment(state.updated),
            "updatedBy": self.people.system,
            "assignedTo": lambda _info: self.people.assignee(state.assignee),
            "assignedAt": maybe(state.assigned_at),
            "additionalAssignees": [],
            "labels": lambda _info: [self.people.label(state, tag) for tag in state.tags],
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
        return None if message is None else self.timelines.messages.text(message)[:500]

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
            "id": self.facts.response_id(state.ticket, survey.sent),
            "surveyId": self.facts.survey_id,
            "rating": survey.score,
            "comment": self.world.prose_for("csat", state.ticket.index, 0) if survey.comment else None,
            "sentiment": sentiment(survey.score),
            "respondedAt": maybe(survey.answered),
            **self.people.stamps(survey.sent, survey.answered, author),
        }

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

    def _links(self, state: State, _info: Any, **paging: Any) -> Fields:
        links = self.timelines.links.of(state)
        return connection(links, "thread_links", lambda link: (link["createdAt"]["iso8601"], link["id"]), _same, paging)

    def _participants(self, state: State, _info: Any, **paging: Any) -> Fields:
        actors = dict.fromkeys(message.author for message in state.messages)
        return connection(list(actors), "participants", lambda a: (a.role.value, str(a.who)), self.people.actor, paging)

    def _timeline(self, state: State, _info: Any, filters: Fields | None = None, **paging: Any) -> Fields:
        return self.timelines.connection(self.timelines.of(state), filters, paging)


def _same(item: Fields) -> Fields:
    return item
