"""What the nights of a loaded world could see of its tickets, told from the event log and not from what was loaded.

Messages and stamps are the world's own. States and priorities of Pylon are known at the stamps of the versions that were
read; Plain's timeline tells every change, so there the actual history is what can be seen.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from include.simulators.plain.people import Facts
from include.simulators.world.lifecycle import Event, Kind, Role
from include.simulators.world.plan import System, Ticket
from include.simulators.world.statuses import STATUSES
from include.simulators.world.times import HOUR
from tests.gold.world import ZONE_OFFSET, Loaded, instant, millis

PLAIN_DEFAULT = "medium"  # Plain has no tickets without a priority


@dataclass(frozen=True)
class Said:
    """A message some night read: when it was said, by whom, and whether customers see it."""

    at: datetime
    role: Role
    who: str | None
    is_public: bool


@dataclass(frozen=True)
class Wait:
    started_at: datetime
    answered_at: datetime | None
    responder_id: str | None


@cache
def tickets(loaded: Loaded) -> dict[str, Ticket]:
    """Every ticket there had been by the last night, by its id."""
    return {
        loaded.truth.ticket_id(ticket): ticket
        for ticket in loaded.world.tickets
        if ticket.born <= millis(loaded.at)
    }  # fmt: skip


def events(loaded: Loaded, ticket: Ticket, at: int | None = None) -> list[Event]:
    until = millis(loaded.at) if at is None else at
    return [event for event in loaded.world.events(ticket.index) if event.at <= until]


# ---------------------------------------------------------------- messages


@cache
def said(loaded: Loaded, ticket: Ticket) -> list[Said]:
    """What was said in a ticket and read before it was taken back, in order; in Pylon with what was merged into it."""
    found = list(_said(loaded, ticket, events(loaded, ticket)))
    if ticket.system is System.PYLON:
        for event in events(loaded, ticket):
            if event.kind is Kind.ABSORBED:
                other = loaded.world.tickets[event.number]
                before = [each for each in loaded.world.events(other.index) if each.at < other.fate_at]
                found += _said(loaded, other, before)
    return sorted(found, key=lambda message: (message.at, message.role is not Role.CONTACT))


def _said(loaded: Loaded, ticket: Ticket, log: list[Event]) -> Iterator[Said]:
    polls = [millis(poll) for poll in loaded.polls]
    for event in log:
        if event.kind is not Kind.MESSAGE:
            continue
        removed = next((each for each in log if each.at > event.at and _removes(each, event)), None)
        first_look = next((poll for poll in polls if poll >= event.at and not _is_away(ticket, poll)), polls[-1])
        # A message deleted in Slack stays in Plain's timeline as one that says so.
        stays = ticket.system is System.PLAIN and ticket.channel == "slack" and event.value != "private"
        if removed is not None and removed.at <= first_look and not (stays and removed.kind is Kind.REMOVED):
            continue
        yield Said(instant(event.stamp), event.actor.role, _who(loaded, ticket, event), event.value != "private")


def _is_away(ticket: Ticket, at: int) -> bool:
    """Whether a ticket is gone for the time being, so that what was said in it cannot be read."""
    return ticket.fate_at <= at < ticket.back_at


def _removes(event: Event, message: Event) -> bool:
    return event.kind is Kind.PURGED or (event.kind is Kind.REMOVED and event.number == message.number)


def _who(loaded: Loaded, ticket: Ticket, event: Event) -> str | None:
    if event.actor.role is not Role.AGENT:
        return None
    if ticket.system is System.PYLON:
        return loaded.truth.records.user_id(event.actor.who)
    return Facts(loaded.world).user_id(event.actor.who)


def waits(messages: list[Said]) -> list[Wait]:
    """Each time a customer waited, by going through the messages one by one."""
    found: list[Wait] = []
    since: datetime | None = None
    for message in messages:
        if message.is_public and message.role is Role.CONTACT:
            since = since or message.at
        elif message.is_public and message.role is Role.AGENT and since is not None:
            found.append(Wait(since, message.at, message.who))
            since = None
    return found if since is None else [*found, Wait(since, None, None)]


def first(messages: list[Said], *roles: Role) -> datetime | None:
    return min((each.at for each in messages if each.is_public and each.role in roles), default=None)


# ---------------------------------------------------------------- states and priorities


def readings(loaded: Loaded, ticket: Ticket) -> Iterator[list[Event]]:
    """Of each night that found a ticket changed, what had happened to it by then."""
    seen = 0
    log = events(loaded, ticket)
    for poll in map(millis, loaded.polls):
        reached = bisect_left(log, poll + 1, key=lambda event: event.at)
        if reached > seen and loaded.truth._gone(ticket, log[:reached]) is None:
            seen = reached
            yield log[:reached]


@dataclass(frozen=True)
class Run:
    """A stretch a ticket was seen to be in one state, and what ended it."""

    started_at: datetime
    state: str
    ended_at: datetime | None = None
    ended_how: str | None = None


@cache
def runs(loaded: Loaded, ticket: Ticket) -> list[Run]:
    """The stretches a ticket spent in one state, as far as they could be seen; none while it was missed."""
    known = states(loaded, ticket)
    ends = [*(at for at, _ in known[1:]), None]
    found = [Run(at, state, end, end and "state changed") for (at, state), end in zip(known, ends, strict=True)]
    for missed, back in absences(loaded, ticket):
        cut: list[Run] = []
        for run in found:
            if run.started_at < missed and (run.ended_at is None or run.ended_at >= missed):
                cut.append(Run(run.started_at, run.state, missed, "deleted"))
                if run.ended_at is None or run.ended_at > back:
                    cut.append(Run(back, run.state, run.ended_at, run.ended_how))
            elif run.started_at < missed or run.started_at >= back:
                cut.append(run)
            else:
                raise AssertionError(f"{ticket} changed while nobody could see it")
        found = cut
    return found


def absences(loaded: Loaded, ticket: Ticket) -> Iterator[tuple[datetime, datetime]]:
    """From when to when a ticket that came back was seen to be away: missed, and the first thing known of it after."""
    if not 0 < ticket.back_at <= millis(loaded.at):
        return
    missed = _missed_at(loaded, ticket)
    if missed is not None:
        quiet = loaded.world.quiet[ticket.system]
        stamps = [max(event.at for event in log if event.kind not in quiet) for log in readings(loaded, ticket)]
        told = [*map(instant, stamps), *known_states(loaded, ticket)]
        yield instant(missed), min(at for at in told if at >= instant(ticket.back_at))


def _missed_at(loaded: Loaded, ticket: Ticket) -> int | None:
    polls = [millis(poll) for poll in loaded.polls]
    if ticket.system is System.PLAIN:
        # Plain's log, once it is kept, tells of every deletion; it is believed as soon as no list can be stale.
        if ticket.fate_at < loaded.world.deletions_logged_from:
            return None
        return min(ticket.fate_at + HOUR, polls[bisect_left(polls, ticket.fate_at)])
    looks = map(millis, loaded.looks)
    away = next((look for look in looks if ticket.fate_at <= look < ticket.back_at), None)
    is_known = away is not None and any(ticket.born <= poll < min(away, ticket.fate_at) for poll in polls)
    return away if is_known else None


def open_at_the_end_of_days(loaded: Loaded, seen: list[list[Run]]) -> dict[date, int]:
    """How many of some tickets could be seen to be open at the end of each day."""
    open_runs = [run for each in seen for run in each if category(run.state) != "closed"]
    begun = sorted(run.started_at for run in open_runs)
    ended = sorted(run.ended_at for run in open_runs if run.ended_at is not None)
    return {
        (end + ZONE_OFFSET).date() - timedelta(days=1): bisect_left(begun, end) - bisect_left(ended, end)
        for end in days(loaded)
    }


def states(loaded: Loaded, ticket: Ticket) -> list[tuple[datetime, str]]:
    """The states a ticket was in, each with its beginning, as far as they could be seen."""
    known = known_states(loaded, ticket)
    different: list[tuple[datetime, str]] = []
    for at in sorted(known):
        if not different or different[-1][1] != known[at]:
            different.append((at, known[at]))
    return different


@cache
def known_states(loaded: Loaded, ticket: Ticket) -> dict[datetime, str]:
    """Every instant at which the state of a ticket is known."""
    created = instant(ticket.created)
    known: dict[datetime, str] = {}
    if ticket.system is System.PLAIN:
        known[created] = "new"
        known |= {instant(e.at): _plain(e.value) for e in events(loaded, ticket) if e.kind is Kind.STATE}
    else:
        for log in readings(loaded, ticket):
            changes = [event for event in log if event.kind is Kind.STATE]
            status = changes[-1].value if changes else "new"
            if _closed(status):
                last_open = max((k for k, change in enumerate(changes) if not _closed(change.value)), default=-1)
                known.setdefault(instant(changes[last_open + 1].at), status)
            known[instant(log[-1].at)] = status
        if created < min(known):
            known[created] = "unobserved"
    return known


def category(status: str) -> str:
    return STATUSES[status].category if status in STATUSES else status


def _closed(status: str) -> bool:
    return STATUSES[status].category == "closed"


def _plain(slug: str) -> str:
    """Plain knows fewer states: what it makes of each of ours is its own and told by its status and detail."""
    by = {"waiting_on_customer": "waiting_on_customer", "new": "new"}
    if _closed(slug):
        return "closed"
    return by.get(slug, "waiting_on_you" if category(slug) == "waiting_on_you" else "on_hold")


def priority_at(loaded: Loaded, ticket: Ticket, at: datetime | None) -> str | None:
    """The priority a clock is held to that stopped at an instant, or still runs."""
    if ticket.system is System.PLAIN:
        changes = [(instant(e.at), e.value) for e in events(loaded, ticket) if e.kind is Kind.PRIORITY]
        return next((value for when, value in reversed(changes) if at is None or when <= at), PLAIN_DEFAULT)
    versions = [
        (instant(log[-1].at), next((e.value for e in reversed(log) if e.kind is Kind.PRIORITY), None))
        for log in readings(loaded, ticket)
    ]
    if at is None:
        return versions[-1][1]
    return next((value for stamp, value in reversed(versions) if stamp <= at), versions[0][1])


def days(loaded: Loaded) -> Iterator[datetime]:
    """The end of each local day of the world up to the last night, in UTC."""
    end = instant(loaded.world.size.start).replace(hour=3) + timedelta(days=1)
    while end <= loaded.at.replace(tzinfo=None):
        yield end
        end += timedelta(days=1)
