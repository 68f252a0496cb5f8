"""The issues of the world as the server knows them: found by name or filter, rendered as rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from ..clock import Clock
from ..world.fields import FIELDS
from ..world.plan import System
from ..world.state import State
from ..world.times import DAY, instant
from ..world.world import Snapshot, World
from . import filters
from .filters import Grammar, Value
from .records import Record, Records, by_hand
from .settings import Settings
from .store import RowStore


class Gone(LookupError):
    """No such issue, or none any more."""

    def __init__(self, text: str, *, was_there: bool) -> None:
        super().__init__(f"Issue {text} was not found.")
        self.was_there = was_there


class Issues:
    def __init__(self, world: World, records: Records, clock: Clock, settings: Settings) -> None:
        self.world = world
        self.records = records
        self.clock = clock
        self.settings = settings
        self.timeline = world.timelines[System.PYLON]
        self.by_id = {records.issue_id(index): index for index in self.timeline.tickets}
        self._by_number = {str(world.tickets[index].number): index for index in self.timeline.tickets}
        self._rows = RowStore(len(world.tickets))
        self.matches = lru_cache(maxsize=8)(self._find_matches)
        self.answers = lru_cache(maxsize=1)(self._find_answers)

    def find(self, text: str) -> State:
        """The issue of an identifier or a number."""
        index = self.by_id.get(text, self._by_number.get(text, -1))
        if index not in self.snapshot().position:
            now = self.clock.now
            raise Gone(text, was_there=self.timeline.gone.get(index, (now + 1, None))[0] <= now)
        return self.world.state(index, self.clock.now)

    @property
    def indexed_at(self) -> int:
        """How far the search index has come; it may trail the records."""
        return self.clock.now - self.settings.index_lag_seconds * 1000

    def snapshot(self) -> Snapshot:
        return self.timeline.snapshot(self.clock.now)

    def rows(self, found: Iterable[int], at: int) -> list[bytes]:
        snapshot = self.timeline.snapshot(at)
        return [self._row(index, snapshot.versions[snapshot.position[index]], at) for index in found]

    def _row(self, index: int, version: int, at: int) -> bytes:
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
            self._row(index, version, snapshot.at)

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
                if test(_Look(self, index, updated, at))
            ]
        search_text = request.get("search_text")
        if isinstance(search_text, str) and search_text:
            wanted = search_text.lower()
            found = [index for index in found if wanted in self.world.title(self.world.tickets[index]).lower()]
        return found

    def _find_answers(self, at: int) -> list[tuple[int, Record]]:
        """Every answer to a survey about an issue that can be seen, each with its instant, in the order of the list."""
        position = self.timeline.snapshot(at).position
        indexes = sorted({index for answered, index in self.timeline.answers if answered <= at and index in position})
        return answers_in_order(self.records, (self.world.state(index, at) for index in indexes))

    def newest_first(self, index: int) -> tuple[int, int]:
        return (-self.world.tickets[index].created, -index)


def answers_in_order(records: Records, states: Iterable[State]) -> list[tuple[int, Record]]:
    """The answers to the surveys about some issues, each with its instant."""
    answers = (record for state in states for record in records.survey_responses(state) if "submitted_at" in record)
    return sorted(((instant(one["submitted_at"]), one) for one in answers), key=lambda each: (each[0], each[1]["id"]))


class _Look:
    """Reads the fields a filter may name; folds the issue's state only when a field needs it."""

    __slots__ = ("_at", "_index", "_issues", "_state", "_updated")

    def __init__(self, issues: Issues, index: int, updated: int, at: int) -> None:
        self._issues, self._index, self._updated, self._at = issues, index, updated, at
        self._state: State | None = None

    def __call__(self, name: str) -> Value:
        ticket = self._issues.world.tickets[self._index]
        if name == "updated_at":
            return self._updated
        if name == "created_at":
            return ticket.created
        if self._state is None:
            self._state = self._issues.world.state(self._index, self._at)
        return _value(self._issues.records, self._state, name)


def _value(records: Records, state: State, name: str) -> Value:
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
