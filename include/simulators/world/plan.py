"""Which tickets the world holds: when each arrives, from whom, over what channel, in which system, and its fate.

A plan is small and made for all tickets at once, because tickets refer to each other: merges, and the copies made in
Pylon when support moved there. What happens inside a ticket is made from its plan alone, see lifecycle.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from math import exp
from random import Random

from .calendar import HOLIDAYS, next_business_instant
from .directory import Contact, Directory
from .rng import stream
from .sizes import Size
from .times import DAY, HOUR, MINUTE, SECOND, local_date, local_midnight


class System(StrEnum):
    PLAIN = "plain"
    PYLON = "pylon"


class Fate(StrEnum):
    NONE = "none"
    MERGED = "merged"  # into another ticket of the same account
    SPAM = "spam"
    DELETED = "deleted"
    PURGED = "purged"  # every message removed, the ticket stays
    ERASED = "erased"  # went with its contact, on a privacy request


class Overlap(StrEnum):
    """How a ticket that was re-created in Pylon points back to its Plain thread."""

    NONE = "none"
    LINKED = "linked"  # external_issues holds the thread id
    WITH_TRACKERS = "with_trackers"  # the same, among entries of other trackers
    LINK_ONLY = "link_only"  # only the entry's link names the thread
    MARKER = "marker"  # only the body names it
    UNMATCHED = "unmatched"  # nothing names it
    DANGLING = "dangling"  # a thread id is named that Plain does not have
    SEVERAL = "several"  # Plain threads that had been merged, all named by one issue


@dataclass(frozen=True, slots=True)
class Ticket:
    index: int
    system: System
    number: int
    created: int  # the stamp it carries
    born: int  # the instant from which it can be seen; later than created for imported tickets
    account: int
    contact: int
    channel: str
    fate: Fate = Fate.NONE
    fate_at: int = 0
    back_at: int = 0  # when its fate was taken back: marked as spam by mistake, or deleted and recovered
    target: int = -1  # the ticket this one is merged into
    absorbed: tuple[int, ...] = ()  # the tickets merged into this one
    origins: tuple[int, ...] = ()  # the Plain threads this Pylon issue continues
    overlap: Overlap = Overlap.NONE
    moved: int = 0  # when it was closed in Plain, because it went on in Pylon
    outage: int = -1
    account_known: bool = True  # nobody's domain is theirs, so some could not be told whose they are

    @property
    def imported(self) -> bool:
        return self.born != self.created


@dataclass(frozen=True, slots=True)
class Outage:
    index: int
    start: int
    end: int


_WEEKDAY = (1.28, 1.2, 1.12, 1.12, 1.02, 0.34, 0.24)
_CHANNELS: dict[System, tuple[tuple[str, ...], tuple[float, ...]]] = {
    System.PLAIN: (
        ("email", "slack", "chat_widget", "form", "microsoft_teams", "discord", "import"),
        (0.45, 0.3, 0.12, 0.06, 0.04, 0.02, 0.01),
    ),
    System.PYLON: (
        (
            *("slack", "email", "chat_widget", "customer_portal", "form", "microsoft_teams", "manual", "whatsapp"),
            *("discord", "google_chat", "microsoft_teams_chat", "phone", "sms", "telegram"),
        ),
        (0.3, 0.25, 0.12, 0.06, 0.05, 0.05, 0.04, 0.03, 0.02, 0.02, 0.02, 0.02, 0.01, 0.01),
    ),
}
_FATES = (Fate.MERGED, Fate.SPAM, Fate.DELETED, Fate.PURGED, Fate.MERGED, Fate.SPAM)
# What can be undone, and is every other time: Pylon's users unmark spam, Plain's own support recovers deleted threads.
_TAKEN_BACK = {System.PYLON: Fate.SPAM, System.PLAIN: Fate.DELETED}
_OVERLAPS = (
    Overlap.LINKED,
    Overlap.LINK_ONLY,
    Overlap.WITH_TRACKERS,
    Overlap.MARKER,
    Overlap.LINKED,
    Overlap.UNMATCHED,
    Overlap.LINKED,
    Overlap.DANGLING,
)
_RECENT = 45 * DAY


def plan(seed: int, size: Size, directory: Directory) -> list[Ticket]:
    """Every ticket of a world, those of the future included. A ticket's index is its position in this list."""
    tickets = _with_fates(seed, size.fate_every, directory, list(_arrivals(seed, size, directory)))
    copies = list(_copies(seed, size, tickets))
    for copy in copies:
        origin = copy.origins[0]
        tickets[origin] = replace(tickets[origin], moved=copy.born)
    tickets += copies
    return _numbered(tickets)


def outages(seed: int, size: Size) -> tuple[Outage, ...]:
    """Moments at which many customers wrote at once."""
    rng = stream(seed, "outages")
    found: list[Outage] = []
    period, day = 40 * DAY, size.start
    while day < size.end:
        opened = local_midnight(local_date(day + rng.randrange(3, 20) * DAY)) + rng.randrange(9 * 60, 16 * 60) * MINUTE
        found.append(Outage(len(found), opened, opened + 90 * MINUTE))
        day += period
    return tuple(found)


def _arrivals(seed: int, size: Size, directory: Directory) -> Iterator[Ticket]:
    by_day = {local_date(outage.start): outage for outage in outages(seed, size)}
    day, last, index = local_date(size.start), local_date(size.end), 0
    while day <= last:
        rng = stream(seed, "arrivals", day.toordinal())
        weight = 0.3 if day in HOLIDAYS else _WEEKDAY[day.weekday()]
        expected = size.tickets_per_day * weight * rng.uniform(0.75, 1.25)
        midnight = local_midnight(day)
        moments = [(midnight + _time_of_day(rng), -1) for _ in range(int(expected + rng.random()))]
        outage = by_day.get(day)
        if outage is not None:
            # The first alerts of an outage come in the same second, from several customers.
            burst = 4 + int(size.tickets_per_day * 0.8)
            moments += [(outage.start + (k // 3) * 71 * SECOND, outage.index) for k in range(burst)]
        for created, number in sorted(moments):
            if size.start <= created < size.end:
                yield _arrival(rng, size, directory, index, created, number)
                index += 1
        day += timedelta(days=1)


def _time_of_day(rng: Random) -> int:
    hour = rng.triangular(7.5, 18.5, 11.0) if rng.random() < 0.8 else rng.uniform(0, 24)
    at = int(hour * HOUR)
    return at - at % SECOND if rng.random() < 0.3 else at


def _arrival(rng: Random, size: Size, directory: Directory, index: int, created: int, outage: int) -> Ticket:
    account = directory.pick_account(rng, created)
    people = [contact for k in account.contacts if _writes_at(contact := directory.contacts[k], created)]
    system = _system(rng, size, account.index, created)
    names, weights = _CHANNELS[system]
    return Ticket(
        index=index,
        system=system,
        number=0,
        created=created,
        born=created,
        account=account.index,
        contact=rng.choice(people).index,
        channel=rng.choices(names, weights)[0],
        outage=outage,
        account_known=bool(account.domains) or index % 3 != 0,
    )


def _writes_at(contact: Contact, at: int) -> bool:
    return contact.erased is None or at < contact.erased


def _system(rng: Random, size: Size, account: int, created: int) -> System:
    chance = rng.random()
    days = (created - size.cut_over) / DAY
    if days < 0:
        pilot = days > -10 and account % 10 == 1
        return System.PYLON if pilot else System.PLAIN
    # Some customers kept writing to the old address for a while.
    return System.PLAIN if days < 45 and chance < 0.3 * exp(-days / 12) else System.PYLON


def _with_fates(seed: int, every: int, directory: Directory, tickets: list[Ticket]) -> list[Ticket]:
    rng = stream(seed, "fates")
    seen = dict.fromkeys(System, 0)
    dealt = dict.fromkeys(System, 0)
    mistakes = dict.fromkeys(System, 0)
    latest: dict[tuple[System, int], int] = {}
    absorbed: dict[int, list[int]] = {}
    fated: list[Ticket] = []
    for ticket in tickets:
        system, created = ticket.system, ticket.created
        erased = directory.contacts[ticket.contact].erased
        fate, fate_at, back_at, target = Fate.NONE, 0, 0, -1
        seen[system] += 1
        due = seen[system] % every == 0
        earlier = latest.get((system, ticket.account), -1)
        if erased is not None and system is System.PLAIN:
            fate, fate_at = Fate.ERASED, erased
        elif due:
            fate = _FATES[dealt[system] % len(_FATES)]
            dealt[system] += 1
            match fate:
                case Fate.MERGED:
                    fate_at = next_business_instant(created + rng.randrange(15, 360) * MINUTE) + rng.randrange(HOUR)
                    if earlier >= 0 and created - tickets[earlier].created < 90 * DAY:
                        target = earlier
                    else:
                        fate, fate_at = Fate.NONE, 0
                        dealt[system] -= 1
                        seen[system] -= 1  # the next ticket takes the turn
                case Fate.SPAM:
                    fate_at = created + rng.randrange(5 * MINUTE, 26 * HOUR)
                case Fate.DELETED:
                    fate_at = created + rng.randrange(6 * HOUR, 9 * DAY)
                case Fate.PURGED:
                    fate_at = created + rng.randrange(DAY, 9 * DAY)
            if fate is _TAKEN_BACK[system]:
                mistakes[system] += 1
                if mistakes[system] % 2 == (system is System.PLAIN):
                    back_at = fate_at + stream(seed, "mistake", ticket.index).randrange(30 * HOUR, 6 * DAY)
        if target >= 0:
            absorbed.setdefault(target, []).append(ticket.index)
        elif fate is Fate.NONE:
            latest[system, ticket.account] = ticket.index
        fated.append(replace(ticket, fate=fate, fate_at=fate_at, back_at=back_at, target=target))
    for index, parts in absorbed.items():
        fated[index] = replace(fated[index], absorbed=tuple(parts))
    return fated


def _copies(seed: int, size: Size, tickets: list[Ticket]) -> Iterator[Ticket]:
    """The Pylon issues made for Plain threads: open ones re-created at the cut-over, some closed ones imported."""
    rng, index, kinds = stream(seed, "copies"), len(tickets), seed
    for thread in tickets:
        if thread.system is not System.PLAIN or thread.fate is not Fate.NONE:
            continue
        recent = thread.created > size.cut_over - _RECENT
        chance, delay = rng.random(), rng.randrange(HOUR, 72 * HOUR)
        if chance >= (0.6 if recent else 0.15):
            continue
        born = next_business_instant(max(size.cut_over, thread.created) + delay) + rng.randrange(2 * HOUR)
        overlap = _OVERLAPS[kinds % len(_OVERLAPS)]
        origins: tuple[int, ...] = (thread.index,)
        kinds += 1
        merged = tuple(part for part in thread.absorbed if tickets[part].fate_at < born)
        if merged:
            overlap, origins = Overlap.SEVERAL, (thread.index, *merged)
        backdated = rng.random() < (0.15 if recent else 0.6)
        channel = thread.channel if thread.channel in _CHANNELS[System.PYLON][0] else "email"
        yield Ticket(
            index=index,
            system=System.PYLON,
            number=0,
            created=thread.created if backdated else born,
            born=born,
            account=thread.account,
            contact=thread.contact,
            channel=channel,
            origins=origins,
            overlap=overlap,
            account_known=thread.account_known,
        )
        index += 1


def _numbered(tickets: list[Ticket]) -> list[Ticket]:
    """Give out the numbers people see, in the order tickets appeared; those of tickets that go leave gaps."""
    numbers = dict.fromkeys(System, 0)
    for ticket in sorted(tickets, key=lambda ticket: (ticket.born, ticket.index)):
        numbers[ticket.system] += 1
        tickets[ticket.index] = replace(ticket, number=numbers[ticket.system])
    return tickets
