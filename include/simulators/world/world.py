"""The world as a whole: every ticket's state at any instant, and which tickets can be seen at it."""

from __future__ import annotations  # array[int] is a type for the checker only, not at run time in 3.11

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from zlib import crc32

from . import ids, text
from .directory import Directory
from .lifecycle import Event, Kind, live
from .plan import System, Ticket, plan
from .rng import stream
from .sizes import SIZES, Size
from .state import State, fold
from .times import DAY

# What a system never shows again. A merged Pylon issue answers 404; a merged Plain thread stays, and says so.
_HIDDEN = {
    System.PYLON: frozenset({Kind.MERGED, Kind.SPAM, Kind.DELETED, Kind.ERASED}),
    System.PLAIN: frozenset({Kind.DELETED, Kind.ERASED}),
}
# What happens without moving updated_at. Nobody outside knows what the vendors do; this is the cautious guess,
# and `serve --quiet` changes it.
DEFAULT_QUIET = {
    System.PYLON: frozenset[Kind](),
    System.PLAIN: frozenset({Kind.SURVEYED, Kind.ANSWERED}),
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The tickets of one system that can be seen at an instant, newest first."""

    at: int
    tickets: array[int]
    updated: array[int]
    versions: array[int]  # how many events each has had: equal versions are equal tickets
    position: dict[int, int] = field(repr=False)


class Timeline:
    """When the tickets of one system changed, in a form small enough to hold for the largest world."""

    def __init__(self, world: World, system: System, quiet: frozenset[Kind]) -> None:
        own = [ticket for ticket in world.tickets if ticket.system is system]
        hidden = _HIDDEN[system]
        own.sort(key=lambda ticket: (-ticket.created, -ticket.index))
        self.tickets = array("q", [ticket.index for ticket in own])
        self._starts, self._times, self._stamps = array("q", [0]), array("q"), array("q")
        self.gone: dict[int, tuple[int, Kind]] = {}  # also what has come back since
        self.answers: list[tuple[int, int]] = []  # when a survey was answered, and of which ticket
        for ticket in own:
            stamp = ticket.born
            for event in world.events(ticket.index):
                if event.kind not in quiet:
                    stamp = event.at
                self._times.append(event.at)
                self._stamps.append(stamp)
                if event.kind in hidden:
                    self.gone[ticket.index] = (event.at, event.kind)
                elif event.kind is Kind.ANSWERED:
                    self.answers.append((event.at, ticket.index))
            self._starts.append(len(self._times))
        self._back = {ticket.index: ticket.back_at for ticket in own if ticket.back_at}
        self.snapshot = lru_cache(maxsize=4)(self._snapshot)

    def is_back(self, index: int, at: int) -> bool:
        """Whether a ticket that was gone has been restored by an instant."""
        return self._back.get(index, at + 1) <= at

    def _snapshot(self, at: int) -> Snapshot:
        found, updated, versions = array("q"), array("q"), array("q")
        times, starts, never = self._times, self._starts, (at + 1, Kind.DELETED)
        for position, index in enumerate(self.tickets):
            start = starts[position]
            if times[start] > at or (self.gone.get(index, never)[0] <= at and not self.is_back(index, at)):
                continue
            reached = bisect_right(times, at, start, starts[position + 1])
            found.append(index)
            updated.append(self._stamps[reached - 1])
            versions.append(reached - start)
        return Snapshot(at, found, updated, versions, {index: k for k, index in enumerate(found)})


class World:
    def __init__(self, seed: int, size: str | Size, quiet: dict[System, frozenset[Kind]] | None = None) -> None:
        self.seed = seed
        self.size = SIZES[size] if isinstance(size, str) else size
        self.directory = Directory(seed, self.size)
        self.tickets: list[Ticket] = plan(seed, self.size, self.directory)
        self.prose = text.paragraphs(stream(seed, "prose"))
        self.quiet = DEFAULT_QUIET | (quiet or {})
        self.events = lru_cache(maxsize=8_192)(self._events)
        self.timelines = {system: Timeline(self, system, self.quiet[system]) for system in System}

    def _events(self, index: int) -> tuple[Event, ...]:
        return tuple(live(self.directory, self.tickets, self.tickets[index]))

    def state(self, index: int, at: int) -> State:
        """A ticket at an instant. Ask only for tickets that exist by then."""
        ticket = self.tickets[index]
        state = fold(ticket, self.events(index), at, self.quiet[ticket.system])
        if state.absorbed and ticket.system is System.PYLON:
            # In Pylon a merge moves the messages over; Plain shows them as entries of another kind.
            for part in state.absorbed:
                other = self.tickets[part]
                state.messages += fold(other, self.events(part), other.fate_at - 1).messages
            state.messages.sort(key=lambda message: message.stamp)
        return state

    def snapshot(self, system: System, at: int) -> Snapshot:
        return self.timelines[system].snapshot(at)

    def thread_id(self, index: int) -> str:
        """The identifier Plain gave a thread; Pylon's external_issues name it too."""
        return ids.ulid(self.seed, "th", self.tickets[index].created, index)

    @property
    def workspace_id(self) -> str:
        return ids.ulid(self.seed, "w", self.size.start - 900 * DAY, 0)

    @property
    def deletions_logged_from(self) -> int:
        """Plain keeps a log of deleted threads only from the day it was switched on."""
        return self.size.start + (self.size.cut_over - self.size.start) // 2

    def prose_for(self, *name: str | int) -> str:
        """A paragraph that belongs to a name: always the same one."""
        named = ":".join(map(str, (self.seed, *name)))
        return self.prose[crc32(named.encode()) % len(self.prose)]

    def title(self, ticket: Ticket) -> str:
        first = ticket.origins[0] if ticket.origins else ticket.index
        return text.title(stream(self.seed, "title", first))
