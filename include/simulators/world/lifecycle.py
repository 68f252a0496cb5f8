"""What happens inside one ticket: its events, generated from its plan alone and always the same."""

from enum import StrEnum
from math import exp
from typing import NamedTuple

from .calendar import in_business_hours, next_business_instant
from .directory import Directory
from .fields import CATEGORIES, HANDLERS, MODULES, RESOLUTIONS, SELF_SERVABLE, TAGS
from .plan import Fate, Overlap, System, Ticket
from .rng import stream
from .statuses import is_open
from .times import DAY, HOUR, MINUTE, SECOND


class Role(StrEnum):
    CONTACT = "contact"
    AGENT = "agent"
    BOT = "bot"
    SYSTEM = "system"


class Actor(NamedTuple):
    role: Role
    who: int = -1  # the contact or agent


class Kind(StrEnum):
    CREATED = "created"
    MESSAGE = "message"  # number: its position; value: public, private or bot
    EDITED = "edited"  # number: the message
    REDACTED = "redacted"  # number: the message
    REMOVED = "removed"  # number: the message
    PURGED = "purged"  # every message
    STATE = "state"  # value: the slug; number: snoozed until
    PRIORITY = "priority"  # value
    ASSIGNED = "assigned"  # number: the agent, or -1
    TEAM = "team"  # number: the team
    FIELD = "field"  # values: the slug, then its value or values
    TAGGED = "tagged"  # values: the tags from now on
    ESCALATED = "escalated"  # values: tracker, identifier, link
    INCIDENT = "incident"  # values: service, reference, link
    ACCOUNT = "account"  # number: the account it belongs to from now on
    SURVEYED = "surveyed"
    ANSWERED = "answered"  # number: the score; value: the comment
    ABSORBED = "absorbed"  # number: the ticket merged into this one
    MERGED = "merged"  # number: the ticket this one went into
    SPAM = "spam"
    DELETED = "deleted"
    ERASED = "erased"
    RESTORED = "restored"  # spam or a deletion taken back


class Event(NamedTuple):
    at: int  # from when on it can be seen
    kind: Kind
    actor: Actor
    number: int = -1
    value: str = ""
    values: tuple[str, ...] = ()
    stamp: int = 0  # the time it carries, where that differs from at (imported messages)


GONE = frozenset({Kind.MERGED, Kind.SPAM, Kind.DELETED, Kind.ERASED})
SYSTEM = Actor(Role.SYSTEM)
BOT = Actor(Role.BOT)
PRIORITIES = ("urgent", "high", "medium", "low")
_CLOSING = ("closed", "closed", "closed", "resolved", "resolved", "nar", "wont-fix")


def live(directory: Directory, tickets: list[Ticket], ticket: Ticket) -> list[Event]:
    """All events of one ticket in order of time, from first to last."""
    script = _Script(directory, ticket)
    script.open()
    if not (ticket.imported and script.closed_on_arrival):
        script.converse()
    events = script.events
    _account_moves(directory, ticket, script)
    for part in ticket.absorbed:
        other = tickets[part]
        events.append(Event(other.fate_at, Kind.ABSORBED, script.actor_at(other.fate_at), number=part))
    events.sort(key=_by_time)
    return _spaced(_ended(ticket, script, events))


def _by_time(event: Event) -> int:
    return event.at


class _Script:
    """Writes a ticket's story forward in time."""

    def __init__(self, directory: Directory, ticket: Ticket) -> None:
        self.directory = directory
        self.ticket = ticket
        self.rng = stream(directory.seed, "life", ticket.index)
        self.events: list[Event] = []
        self.at = ticket.born
        self.messages = 0
        self.agent = directory.pick_agent(self.rng, ticket.born).index
        self.contact = Actor(Role.CONTACT, ticket.contact)
        self.closed_on_arrival = ticket.imported and self.rng.random() < 0.8
        self.last_customer_message = 0

    def emit(
        self, kind: Kind, actor: Actor, *, number: int = -1, value: str = "", values: tuple[str, ...] = ()
    ) -> None:
        self.events.append(Event(self.at, kind, actor, number, value, values, self.at))

    def actor_at(self, at: int) -> Actor:
        """The agent on the ticket, or a colleague if that one has left."""
        if not self.directory.agents[self.agent].works_at(at):
            self.agent = self.directory.pick_agent(self.rng, at).index
            self.events.append(Event(at, Kind.ASSIGNED, SYSTEM, number=self.agent, stamp=at))
        return Actor(Role.AGENT, self.agent)

    def say(self, actor: Actor, visibility: str = "public", *, stamp: int = 0) -> None:
        self.events.append(
            Event(self.at, Kind.MESSAGE, actor, self.messages, visibility, (), stamp or self.at),
        )
        self.messages += 1

    def wait(self, median: int) -> None:
        """Let time pass; the spread is wide, as it is with people."""
        self.at += int(median * exp(self.rng.gauss(0.0, 1.0))) + SECOND

    def wait_for_staff(self, median: int) -> None:
        self.wait(median)
        if self.rng.random() < 0.88 and not in_business_hours(self.at):
            self.at = next_business_instant(self.at) + int(self.rng.expovariate(1 / (40 * MINUTE)))

    def open(self) -> None:
        ticket, rng = self.ticket, self.rng
        by_agent = ticket.channel in ("manual", "phone")
        author = Actor(Role.AGENT, self.agent) if by_agent else self.contact
        self.emit(Kind.CREATED, author)
        if ticket.imported:
            self._import_history()
        else:
            self.at += 1
            self.say(author, "private" if ticket.channel == "manual" else "public", stamp=ticket.born)
        self._point_back()
        if rng.random() < 0.9:
            self.emit(Kind.PRIORITY, SYSTEM, value=rng.choices(PRIORITIES, (0.08, 0.22, 0.45, 0.25))[0])
        if rng.random() < 0.55:
            self.emit(Kind.FIELD, SYSTEM, values=("category", rng.choice(CATEGORIES)))
        if ticket.channel == "chat_widget":
            self.emit(Kind.FIELD, SYSTEM, values=("chat_widget.app_id", f"app-{rng.randrange(3)}"))
        if ticket.outage >= 0:
            reference = f"INC-{ticket.outage + 101}"
            self.at += 9 * MINUTE
            link = f"https://incidents.example/{reference}"
            self.emit(Kind.INCIDENT, SYSTEM, values=("incident_io", reference, link))
        if ticket.system is System.PLAIN and ticket.channel == "import":
            self.emit(Kind.STATE, SYSTEM, value="closed")

    def _import_history(self) -> None:
        """An imported ticket arrives with its old messages, which keep the times they were written at."""
        stamp, old = self.ticket.created, self.rng.randrange(2, 6)
        step = max(SECOND, (self.ticket.born - stamp) // (old + 1))
        for k in range(old):
            self.say(self.contact if k % 2 == 0 else Actor(Role.AGENT, self.agent), stamp=stamp)
            stamp += min(step, int(self.rng.uniform(0.2, 1.0) * DAY))
        self.emit(Kind.STATE, SYSTEM, value="closed" if self.closed_on_arrival else "waiting_on_you")

    def _point_back(self) -> None:
        """The entries of external_issues a re-created ticket came with; which thread they name is in the plan."""
        overlap = self.ticket.overlap
        if overlap in (Overlap.LINKED, Overlap.WITH_TRACKERS, Overlap.LINK_ONLY, Overlap.DANGLING, Overlap.SEVERAL):
            if overlap is Overlap.WITH_TRACKERS:
                self._track("linear")
            for origin in self.ticket.origins:
                self.emit(Kind.ESCALATED, SYSTEM, number=origin, value=overlap, values=("plain",))
            if overlap is Overlap.WITH_TRACKERS:
                self._track("jira")

    def _track(self, tracker: str) -> None:
        key = f"{'ENG' if tracker == 'linear' else 'CORE'}-{self.rng.randrange(100, 9999)}"
        self.emit(Kind.ESCALATED, SYSTEM, values=(tracker, key, f"https://{tracker}.example/browse/{key}"))

    def converse(self) -> None:
        rng = self.rng
        if rng.random() < 0.25:
            self.at += rng.randrange(2 * SECOND, 40 * SECOND)
            self.say(BOT, "bot")
        if rng.random() < 0.92:
            self.at += rng.randrange(5 * SECOND, 15 * MINUTE)
            self.emit(Kind.ASSIGNED, SYSTEM, number=self.agent)
            self.emit(Kind.TEAM, SYSTEM, number=0)
        if rng.random() < 0.03:
            return  # nobody ever answers this one
        if rng.random() < 0.07:
            self._close_unanswered()
            return
        self.wait_for_staff(35 * MINUTE)
        self._rounds()
        while rng.random() < 0.17:
            self._reopen()
        self._afterthoughts()

    def _close_unanswered(self) -> None:
        self.wait_for_staff(3 * HOUR)
        self.emit(Kind.STATE, self.actor_at(self.at), value="nar")

    def _rounds(self) -> None:
        """Agent and customer take turns until the agent closes the ticket, or it is left lying."""
        rng = self.rng
        rounds = 1 + min(11, int(rng.expovariate(1 / 2.9)))
        for turn in range(rounds):
            self._work()
            self.say(self.actor_at(self.at))
            if rng.random() < 0.12:
                self.at += rng.randrange(20 * SECOND, 4 * MINUTE)
                self.say(self.actor_at(self.at))
            if turn == rounds - 1:
                break
            self.at += rng.randrange(SECOND, 30 * SECOND)
            self.emit(Kind.STATE, self.actor_at(self.at), value="waiting_on_customer")
            if rng.random() < 0.06:
                self._snooze()
            if rng.random() < 0.05:
                return self._left_lying()
            self.wait(3 * HOUR)
            self.say(self.contact)
            self.emit(Kind.STATE, SYSTEM, value="waiting_on_you")
            self.wait_for_staff(70 * MINUTE)
        return self._close()

    def _work(self) -> None:
        """What agents do before they answer."""
        rng = self.rng
        agent = self.actor_at(self.at)
        if rng.random() < 0.25:
            self.emit(Kind.STATE, agent, value="in_progress")
            self.wait_for_staff(20 * MINUTE)
            agent = self.actor_at(self.at)
        if rng.random() < 0.4:
            self.say(agent, "private")
            self.at += rng.randrange(MINUTE, 12 * MINUTE)
        if rng.random() < 0.12:
            self.emit(Kind.PRIORITY, agent, value=rng.choice(PRIORITIES))
        if rng.random() < 0.12:
            self.agent = self.directory.pick_agent(rng, self.at).index
            self.emit(Kind.ASSIGNED, agent, number=self.agent)
        elif rng.random() < 0.02:
            self.emit(Kind.ASSIGNED, agent, number=-1)
        if rng.random() < 0.1:
            self._escalate()
        if rng.random() < 0.3:
            self.emit(Kind.FIELD, agent, values=("category", rng.choice(CATEGORIES)))
        if rng.random() < 0.3:
            self.emit(Kind.FIELD, agent, values=("handler", rng.choice(HANDLERS)))
        if rng.random() < 0.18:
            modules = tuple(rng.sample(MODULES, rng.randrange(1, 4)))
            self.emit(Kind.FIELD, agent, values=("affected.modules", *modules))
        if rng.random() < 0.12:
            self.emit(Kind.FIELD, agent, values=("minutes_lost", str(rng.choice((0, 5, 30, 120, 240)))))
        if rng.random() < 0.2:
            self.emit(Kind.TAGGED, agent, values=tuple(rng.sample(TAGS, rng.randrange(0, 3))))

    def _escalate(self) -> None:
        self._track(self.rng.choice(("linear", "jira", "linear")))
        self.emit(Kind.TEAM, self.actor_at(self.at), number=1 + self.rng.randrange(2))
        self.emit(Kind.STATE, self.actor_at(self.at), value="waiting_on_action")
        self.wait_for_staff(8 * HOUR)
        self.emit(Kind.TEAM, self.actor_at(self.at), number=0)
        self.emit(Kind.STATE, SYSTEM, value="waiting_on_you")
        self.wait_for_staff(30 * MINUTE)

    def _snooze(self) -> None:
        """Put aside until a set time; a customer who writes earlier wakes it earlier."""
        self.at += self.rng.randrange(SECOND, 10 * MINUTE)
        until = next_business_instant(self.at + self.rng.randrange(1, 6) * DAY)
        self.emit(Kind.STATE, self.actor_at(self.at), value="on_hold", number=until)
        woken_early = self.at + int((until - self.at) * self.rng.random())
        self.at = until if self.rng.random() < 0.7 else woken_early
        if self.at == until:
            self.emit(Kind.STATE, SYSTEM, value="waiting_on_you")

    def _left_lying(self) -> None:
        """The customer never answers. Most of these close by themselves after a week, some stay open."""
        if self.rng.random() < 0.6:
            self.at += 7 * DAY
            self.emit(Kind.STATE, SYSTEM, value="closed")
        elif self.rng.random() < 0.3:
            self.wait_for_staff(2 * DAY)
            self.emit(Kind.STATE, self.actor_at(self.at), value="backlog")

    def _close(self) -> None:
        rng = self.rng
        agent = self.actor_at(self.at)
        self.at += rng.randrange(2 * SECOND, 25 * MINUTE)
        if rng.random() < 0.75:
            self.emit(Kind.FIELD, agent, values=("resolution-type", rng.choice(RESOLUTIONS)))
        if rng.random() < 0.6:
            self.emit(Kind.FIELD, agent, values=("self-servable", rng.choice(SELF_SERVABLE)))
        self.emit(Kind.STATE, agent, value=rng.choice(_CLOSING))
        if rng.random() < 0.6:
            self.at += 5 * MINUTE
            self.emit(Kind.SURVEYED, SYSTEM)
            if rng.random() < 0.45:
                self.wait(7 * HOUR)
                score = rng.choices((1, 2, 3, 4, 5), (0.06, 0.05, 0.12, 0.27, 0.5))[0]
                self.emit(Kind.ANSWERED, self.contact, number=score, value="yes" if rng.random() < 0.4 else "")

    def _reopen(self) -> None:
        self.wait(30 * HOUR)
        self.say(self.contact)
        self.emit(Kind.STATE, SYSTEM, value="waiting_on_you")
        self.wait_for_staff(60 * MINUTE)
        self._rounds()

    def _afterthoughts(self) -> None:
        """Messages changed after the fact, which move no other part of the ticket."""
        rng = self.rng
        chance = rng.random()
        if self.messages < 2 or chance > 0.13:
            return
        self.wait(20 * HOUR)
        message = rng.randrange(1, self.messages)
        kind = Kind.EDITED if chance < 0.07 else Kind.REDACTED if chance < 0.1 else Kind.REMOVED
        self.emit(kind, self.actor_at(self.at), number=message)


def _account_moves(directory: Directory, ticket: Ticket, script: _Script) -> None:
    """When its account is merged into another, the ticket moves along."""
    account = directory.accounts[ticket.account]
    if account.merged_into is not None and account.merged_at is not None and account.merged_at > ticket.born:
        at = account.merged_at
        script.events.append(Event(at, Kind.ACCOUNT, SYSTEM, number=account.merged_into, stamp=at))


def _ended(ticket: Ticket, script: _Script, events: list[Event]) -> list[Event]:
    """Cut the story where its fate cuts it."""
    at = ticket.fate_at
    if ticket.back_at:
        return _taken_back(ticket, script)
    match ticket.fate:
        case Fate.NONE:
            return events if not ticket.moved else _moved(ticket.moved, events)
        case Fate.PURGED:
            # Whatever is said later arrives as usual: a purge takes the messages that were there.
            purge = Event(at, Kind.PURGED, script.actor_at(at), stamp=at)
            return sorted([*events, purge], key=_by_time)
        case Fate.MERGED:
            last = Event(at, Kind.MERGED, script.actor_at(at), number=ticket.target, stamp=at)
        case Fate.SPAM:
            last = Event(at, Kind.SPAM, script.actor_at(at), stamp=at)
        case Fate.DELETED:
            last = Event(at, Kind.DELETED, script.actor_at(at), stamp=at)
        case Fate.ERASED:
            last = Event(at, Kind.ERASED, SYSTEM, stamp=at)
    kept = [event for event in events if event.at < at]
    if ticket.fate is Fate.MERGED and ticket.system is System.PLAIN:
        # Plain keeps the merged thread, and marks it done.
        kept.append(Event(at, Kind.STATE, last.actor, value="closed", stamp=at))
    return [*kept, last]


def _taken_back(ticket: Ticket, script: _Script) -> list[Event]:
    """While it is gone nothing happens to it; afterwards its story goes on from where it was."""
    at, back = ticket.fate_at, ticket.back_at
    kind = Kind.SPAM if ticket.fate is Fate.SPAM else Kind.DELETED
    ends = [Event(at, kind, script.actor_at(at), stamp=at), Event(back, Kind.RESTORED, SYSTEM, stamp=back)]
    return sorted([*ends, *(_put_off(event, at, back - at) for event in script.events)], key=_by_time)


def _put_off(event: Event, since: int, by: int) -> Event:
    if event.at < since or event.kind is Kind.ACCOUNT:  # accounts are merged when they are merged
        return event
    stamp = event.stamp + by if event.stamp >= since else event.stamp
    number = event.number + by if event.kind is Kind.STATE and event.number >= 0 else event.number
    return event._replace(at=event.at + by, stamp=stamp, number=number)


def _moved(at: int, events: list[Event]) -> list[Event]:
    """What was still open in Plain is closed there when it goes on in Pylon; nothing happens to it afterwards."""
    kept = [event for event in events if event.at < at]
    last = next((event.value for event in reversed(kept) if event.kind is Kind.STATE), "new")
    return [*kept, Event(at, Kind.STATE, SYSTEM, value="closed", stamp=at)] if is_open(last) else kept


def _spaced(events: list[Event]) -> list[Event]:
    """One event per millisecond, so that "the state at an instant" is never a question of order."""
    spaced, last = [], -1
    for event in events:
        at = event.at
        if at <= last:
            at = last + 1
            moved = event.stamp if event.stamp < event.at and event.stamp else at
            event = Event(at, event.kind, event.actor, event.number, event.value, event.values, moved)
        elif not event.stamp:
            event = event._replace(stamp=at)
        spaced.append(event)
        last = at
    return spaced
