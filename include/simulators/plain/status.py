"""How Plain tells a thread's status, its service clock and the mood of an answered survey."""

from typing import NamedTuple

from ..world.calendar import business_instant
from ..world.lifecycle import Actor, Role
from ..world.plan import Ticket
from ..world.state import State
from ..world.statuses import is_open
from ..world.times import MINUTE
from .people import FIRST_RESPONSE_MINUTES, PRIORITY_NUMBER, Fields, maybe, moment

AUTOMATIC_CLOSE_SECONDS = 7 * 86_400


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


def detail_fields(ticket: Ticket, detail: Detail, since: int, until: int | None) -> Fields:
    fields: Fields = {"__typename": detail.typename, "statusChangedAt": moment(since)}
    match detail.detail:
        case "CREATED":
            fields["createdAt"] = moment(ticket.created)
        case "WAITING_FOR_DURATION":
            fields["waitingUntil"] = maybe(until)
        case "DONE_AUTOMATICALLY_SET":
            fields["afterSeconds"] = AUTOMATIC_CLOSE_SECONDS
    return fields


def sentiment(score: int | None) -> str | None:
    if score is None:
        return None
    return "NEGATIVE" if score < 3 else "NEUTRAL" if score == 3 else "POSITIVE"
