"""What really happened, and what a client could have seen of it, read off the event log alone.

Two readings. *Actual*: everything up to an instant. *Observed*: what polls at given instants could have seen. Nothing
here uses the folded states the servers answer from, so an error in one shows up as a difference to the other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from .pylon.records import Records
from .world.calendar import business_instant, business_seconds
from .world.lifecycle import Event, Kind, Role
from .world.plan import Fate, Overlap, System, Ticket
from .world.statuses import STATUSES
from .world.times import HOUR, iso, local_date, local_midnight
from .world.world import World

TARGET_HOURS = {"urgent": (1, 4), "high": (4, 10), "medium": (10, 30), "low": (30, 50)}
AT_RISK = 0.75  # the share of a target after which a running clock is at risk
_NAMES_A_THREAD = frozenset({Overlap.LINKED, Overlap.WITH_TRACKERS, Overlap.LINK_ONLY, Overlap.MARKER, Overlap.SEVERAL})


@dataclass(frozen=True, slots=True)
class Episode:
    """From a resolution to the reopening that undid it, if one did."""

    resolved_at: int
    reopened_at: int | None


@dataclass(frozen=True, slots=True)
class Clock:
    """One service clock of a ticket: working time since its creation, never paused."""

    priority: str | None  # the one when the clock stopped, or the current one while it runs
    due_at: int | None
    stopped_at: int | None
    outcome: str  # met, breached, running, at_risk, overdue or no_target


@dataclass(frozen=True, slots=True)
class TicketTruth:
    system: System
    id: str
    number: int
    logical_id: str  # the Pylon issue for a thread that one names, otherwise the ticket itself
    same_as: str  # the same, had every copy named its thread
    overlap: Overlap
    created_at: int
    seen_from: int
    account_id: str | None
    channel: str
    opened_by: str
    status: str
    category: str
    is_open: bool
    priority: str | None
    gone_at: int | None
    gone_how: str | None
    merged_into: str | None
    is_spam: bool
    messages: int
    first_response_at: int | None  # the first public message of a human on the team
    first_response_seconds: int | None
    first_response_business_seconds: int | None
    first_response_kept_at: int | None  # the same, among messages that are still there
    first_reply_at: int | None  # the same, bots included
    episodes: tuple[Episode, ...]
    resolved_at: int | None  # the resolution that still stands
    resolution_seconds: int | None
    resolution_business_seconds: int | None
    first_response_sla: Clock
    resolution_sla: Clock
    scores: tuple[tuple[int, int], ...]  # when a survey was answered, and with what

    @property
    def reopened(self) -> int:
        return sum(episode.reopened_at is not None for episode in self.episodes)


@dataclass(frozen=True, slots=True)
class Deletion:
    system: System
    object: str
    id: str
    parent_id: str | None
    at: int
    how: str
    learn: str  # how a client can find out


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a ticket that a poll could see."""

    stamp: int  # its updated_at
    polled_at: int  # the first poll that saw it
    status: str


@dataclass(frozen=True, slots=True)
class Observed:
    """A ticket as the polls saw it; in the end it was still there or not."""

    system: System
    id: str
    created_at: int
    versions: tuple[Version, ...]
    is_there: bool

    def status_at(self, at: int) -> str | None:
        """The status by the stamps of what was seen, or nothing if no version is that old."""
        return next((version.status for version in reversed(self.versions) if version.stamp <= at), None)

    @property
    def reopened(self) -> int:
        closed = [not _open(version.status) for version in self.versions]
        return sum(was and not now for was, now in pairwise(closed))


class Truth:
    def __init__(self, world: World) -> None:
        self.world = world
        self.records = Records(world)
        self._copies = {origin: ticket for ticket in world.tickets if ticket.origins for origin in ticket.origins}
        self._spam = _spam_marks(world)

    # -- the actual reading

    def tickets(self, at: int) -> Iterator[TicketTruth]:
        """Every ticket that had appeared by an instant, also those gone by then, in order of appearance."""
        for ticket in sorted(self.world.tickets, key=lambda ticket: (ticket.born, ticket.index)):
            if ticket.born > at:
                return
            yield self.ticket(ticket, at)

    def ticket(self, ticket: Ticket, at: int) -> TicketTruth:
        events = [event for event in self.world.events(ticket.index) if event.at <= at]
        created = ticket.created
        gone = self._gone(ticket, events)
        status = _last(events, Kind.STATE, "new")
        spoken = self._spoken(ticket, events)
        kept = [message for message in spoken if not message.removed]
        human = [message.stamp for message in spoken if message.is_reply and message.role is Role.AGENT]
        kept_human = [message.stamp for message in kept if message.is_reply and message.role is Role.AGENT]
        any_reply = [message.stamp for message in spoken if message.is_reply]
        first = min(human, default=None)
        episodes = tuple(_episodes(events))
        resolved = episodes[-1].resolved_at if episodes and episodes[-1].reopened_at is None else None
        account = next((event.number for event in reversed(events) if event.kind is Kind.ACCOUNT), ticket.account)
        return TicketTruth(
            system=ticket.system,
            id=self.ticket_id(ticket),
            number=ticket.number,
            logical_id=self._logical(ticket, at, by_evidence=True),
            same_as=self._logical(ticket, at, by_evidence=False),
            overlap=ticket.overlap,
            created_at=created,
            seen_from=ticket.born,
            account_id=self.records.account_id(account) if ticket.account_known else None,
            channel=ticket.channel,
            opened_by=events[0].actor.role.value,
            status=status,
            category=STATUSES[status].category,
            is_open=_open(status) and gone is None,
            priority=_last(events, Kind.PRIORITY, "") or None,
            gone_at=gone.at if gone else None,
            gone_how=gone.kind.value if gone else None,
            merged_into=self._merged_into(events),
            is_spam=self.is_spam(ticket, at),
            messages=len(kept),
            first_response_at=first,
            first_response_seconds=None if first is None else (first - created) // 1000,
            first_response_business_seconds=None if first is None else business_seconds(created, first),
            first_response_kept_at=min(kept_human, default=None),
            first_reply_at=min(any_reply, default=None),
            episodes=episodes,
            resolved_at=resolved,
            resolution_seconds=None if resolved is None else (resolved - created) // 1000,
            resolution_business_seconds=None if resolved is None else business_seconds(created, resolved),
            first_response_sla=_clock(events, created, first, 0, at),
            resolution_sla=_clock(events, created, resolved, 1, at),
            scores=tuple((event.at, event.number) for event in events if event.kind is Kind.ANSWERED),
        )

    def ticket_id(self, ticket: Ticket) -> str:
        pylon = ticket.system is System.PYLON
        return self.records.issue_id(ticket.index) if pylon else self.world.thread_id(ticket.index)

    def _gone(self, ticket: Ticket, events: Sequence[Event]) -> Event | None:
        hidden = {Kind.DELETED, Kind.ERASED}
        if ticket.system is System.PYLON:
            hidden |= {Kind.MERGED, Kind.SPAM}
        ends = [event for event in events if event.kind in hidden or event.kind is Kind.RESTORED]
        return ends[-1] if ends and ends[-1].kind in hidden else None

    def _merged_into(self, events: Sequence[Event]) -> str | None:
        last = events[-1]
        return self.ticket_id(self.world.tickets[last.number]) if last.kind is Kind.MERGED else None

    def is_spam(self, ticket: Ticket, at: int) -> bool:
        """In Pylon spam goes; in Plain it is the customer who is marked, and with them all they ever wrote."""
        if ticket.system is System.PYLON:
            return ticket.fate is Fate.SPAM and ticket.fate_at <= at and not 0 < ticket.back_at <= at
        return self._spam.get(ticket.contact, at + 1) <= at

    def _logical(self, ticket: Ticket, at: int, *, by_evidence: bool) -> str:
        copy = self._copies.get(ticket.index)
        if copy is None or copy.born > at:
            return self.ticket_id(ticket)
        names = copy.overlap in _NAMES_A_THREAD or not by_evidence
        own = self.world.events(copy.index)[-1]
        still_there = not (own.at <= at and own.kind in {Kind.MERGED, Kind.SPAM, Kind.DELETED, Kind.ERASED})
        return self.ticket_id(copy if names and still_there else ticket)

    def _spoken(self, ticket: Ticket, events: Sequence[Event]) -> list["_Spoken"]:
        """Every message of a ticket; in Pylon also those of tickets merged into it, as they were then."""
        own = _messages(events)
        if ticket.system is System.PYLON:
            for event in events:
                if event.kind is Kind.ABSORBED:
                    other = self.world.tickets[event.number]
                    before = [e for e in self.world.events(other.index) if e.at < other.fate_at]
                    own += [message for message in _messages(before) if not message.removed]
        return own

    # -- sums of the actual reading

    def tickets_daily(self, at: int) -> list[dict[str, object]]:
        """Tickets by the local day they were created, channel and system.

        tickets is the number that counts: still there, not spam, not merged, not counted under a Pylon issue that
        names it. The rest is beside it, each ticket under the first of these that applies.
        """
        rows: dict[tuple[date, System, str], Counter[str]] = {}
        for ticket in self.tickets(at):
            key = local_date(ticket.created_at), ticket.system, ticket.channel
            rows.setdefault(key, Counter())[_counted_as(ticket)] += 1
        names = ("tickets", "gone", "spam", "merged", "linked")
        return [
            {
                "day": day.isoformat(),
                "system": system.value,
                "channel": channel,
                **{name: counts[name] for name in names},
            }
            for (day, system, channel), counts in sorted(rows.items())
        ]

    def backlog(self, day: date, at: int | None = None) -> dict[str, int]:
        """Open tickets at the end of a local day, by system; counted tickets only, as in tickets_daily.

        With an instant given, tickets that are gone by that instant are left out, as they are for a client.
        """
        end = local_midnight(day + timedelta(days=1)) - 1
        left = None if at is None else {ticket.id for ticket in self.tickets(at) if _counted_as(ticket) == "tickets"}
        found: Counter[str] = Counter()
        for ticket in self.tickets(end):
            counted = _counted_as(ticket) == "tickets" if left is None else ticket.id in left
            if ticket.is_open and counted:
                found[ticket.system.value] += 1
        return {system.value: found[system.value] for system in System}

    def csat_daily(self, at: int) -> list[dict[str, object]]:
        """Survey answers by the local day they were given, among tickets that are still there."""
        rows: dict[tuple[date, System, str], list[int]] = {}
        for ticket in self.tickets(at):
            if ticket.gone_at is None:
                for answered, score in ticket.scores:
                    rows.setdefault((local_date(answered), ticket.system, ticket.channel), []).append(score)
        return [
            {
                "day": day.isoformat(),
                "system": system.value,
                "channel": channel,
                "csat_sum": sum(scores),
                "csat_count": len(scores),
            }
            for (day, system, channel), scores in sorted(rows.items())
        ]

    def deletions(self, at: int) -> Iterator[Deletion]:
        """Everything that was there once and is not any more, and how one can learn of it."""
        logged_from = self.world.deletions_logged_from
        for ticket in self.world.tickets:
            if ticket.born > at:
                continue
            events = [event for event in self.world.events(ticket.index) if event.at <= at]
            gone = self._gone(ticket, events)
            parent = self.ticket_id(ticket)
            if gone is not None:
                logged = ticket.system is System.PLAIN and gone.kind is Kind.DELETED and gone.at >= logged_from
                learn = (
                    "deletedThreads" if logged else "absent from a complete listing; asked for by id, it is not found"
                )
                kind = "issue" if ticket.system is System.PYLON else "thread"
                yield Deletion(ticket.system, kind, parent, None, gone.at, gone.kind.value, learn)
                continue
            for message in _messages(events):
                if message.removed and ticket.system is System.PYLON:
                    name = self.records.message_id(ticket.index, message.position)
                    learn = "absent when the messages of its issue are read again"
                    yield Deletion(ticket.system, "message", name, parent, message.removed, "removed", learn)
        for account in self.world.directory.accounts:
            if account.merged_at is not None and account.merged_at <= at:
                name = self.records.account_id(account.index)
                learn = "absent from a complete listing; asked for by id, it is not found"
                yield Deletion(System.PYLON, "account", name, None, account.merged_at, "merged", learn)

    # -- the observed reading

    def observed(self, polls: Sequence[int]) -> Iterator[Observed]:
        """Every ticket at least one poll could see, in order of appearance."""
        moments = sorted(polls)
        for ticket in sorted(self.world.tickets, key=lambda ticket: (ticket.born, ticket.index)):
            versions: list[Version] = []
            is_there = False
            for polled in moments:
                events = [event for event in self.world.events(ticket.index) if event.at <= polled]
                is_there = bool(events) and self._gone(ticket, events) is None
                if not is_there:
                    continue
                quiet = self.world.quiet[ticket.system]
                stamp = max((event.at for event in events if event.kind not in quiet), default=ticket.born)
                if not versions or versions[-1].stamp != stamp:
                    versions.append(Version(stamp, polled, _last(events, Kind.STATE, "new")))
            if versions:
                yield Observed(ticket.system, self.ticket_id(ticket), ticket.created, tuple(versions), is_there)

    def observed_backlog(self, day: date, polls: Sequence[int]) -> dict[str, dict[str, int]]:
        """Tickets open at the end of a local day by what was seen, and those no version is old enough to tell of."""
        end = local_midnight(day + timedelta(days=1)) - 1
        counted = {ticket.id for ticket in self.tickets(max(polls)) if _counted_as(ticket) == "tickets"}
        found: Counter[tuple[str, str]] = Counter()
        for ticket in self.observed(polls):
            if ticket.id not in counted or ticket.created_at > end:
                continue
            status = ticket.status_at(end)
            if status is None:
                found[ticket.system.value, "unknown"] += 1
            elif _open(status):
                found[ticket.system.value, "open"] += 1
        return {s.value: {name: found[s.value, name] for name in ("open", "unknown")} for s in System}


# -- reading the log


@dataclass(slots=True)
class _Spoken:
    position: int
    role: Role
    is_public: bool
    stamp: int
    removed: int | None = None

    @property
    def is_reply(self) -> bool:
        return self.is_public and self.role is not Role.CONTACT


def _messages(events: Iterable[Event]) -> list[_Spoken]:
    spoken: list[_Spoken] = []
    for event in events:
        if event.kind is Kind.MESSAGE:
            spoken.append(_Spoken(event.number, event.actor.role, event.value != "private", event.stamp))
        elif event.kind is Kind.REMOVED:
            for message in spoken:
                if message.position == event.number and message.removed is None:
                    message.removed = event.at
        elif event.kind is Kind.PURGED:
            for message in spoken:
                message.removed = message.removed or event.at
    return spoken


def _open(status: str) -> bool:
    return STATUSES[status].category != "closed"


def _last(events: Sequence[Event], kind: Kind, default: str) -> str:
    return next((event.value for event in reversed(events) if event.kind is kind), default)


def _episodes(events: Sequence[Event]) -> Iterator[Episode]:
    resolved: int | None = None
    for event in events:
        if event.kind is not Kind.STATE:
            continue
        if resolved is None and not _open(event.value):
            resolved = event.at
        elif resolved is not None and _open(event.value):
            yield Episode(resolved, event.at)
            resolved = None
    if resolved is not None:
        yield Episode(resolved, None)


def _clock(events: Sequence[Event], created: int, stopped: int | None, which: int, now: int) -> Clock:
    until = now if stopped is None else stopped
    priority = _last([event for event in events if event.at <= until], Kind.PRIORITY, "") or None
    if priority is None:
        return Clock(None, None, stopped, "no_target")
    duration = TARGET_HOURS[priority][which] * HOUR
    due = business_instant(created, duration)
    if stopped is not None:
        return Clock(priority, due, stopped, "met" if stopped <= due else "breached")
    if now > due:
        return Clock(priority, due, None, "overdue")
    at_risk = now >= business_instant(created, int(duration * AT_RISK))
    return Clock(priority, due, None, "at_risk" if at_risk else "running")


def _counted_as(ticket: TicketTruth) -> str:
    if ticket.gone_at is not None:
        return "gone"
    if ticket.is_spam:
        return "spam"
    if ticket.merged_into is not None:
        return "merged"
    return "tickets" if ticket.logical_id == ticket.id else "linked"


def _spam_marks(world: World) -> dict[int, int]:
    marks: dict[int, int] = {}
    for ticket in world.tickets:
        if ticket.system is System.PLAIN and ticket.fate is Fate.SPAM:
            marks[ticket.contact] = min(ticket.fate_at, marks.get(ticket.contact, ticket.fate_at))
    return marks


def as_json(value: object, name: str = "") -> object:
    """The same facts for /_sim/truth/: instants as text, everything else as it is."""
    if hasattr(value, "__dataclass_fields__"):
        found = {field: as_json(getattr(value, field), field) for field in value.__dataclass_fields__}
        if isinstance(value, TicketTruth | Observed):
            found["reopened"] = value.reopened
        return found
    if isinstance(value, list | tuple):
        if name == "scores":
            return [{"answered_at": iso(at), "score": score} for at, score in value]
        return [as_json(item) for item in value]
    instants = name.endswith("_at") or name in ("at", "stamp", "seen_from")
    return iso(value) if instants and isinstance(value, int) else value
