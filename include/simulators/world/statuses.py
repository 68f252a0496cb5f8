"""The states a ticket can be in: the five standard ones, and those this company added."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    slug: str
    label: str
    category: str  # one of the five standard states
    is_archived: bool = False

    @property
    def is_standard(self) -> bool:
        return self.slug == self.category


STATUSES: dict[str, Status] = {
    status.slug: status
    for status in (
        Status("new", "New", "new"),
        Status("waiting_on_you", "Waiting on us", "waiting_on_you"),
        Status("waiting_on_customer", "Waiting on customer", "waiting_on_customer"),
        Status("on_hold", "On hold", "on_hold"),
        Status("closed", "Closed", "closed"),
        Status("in_progress", "In progress", "waiting_on_you"),
        Status("waiting_on_action", "Waiting on engineering", "on_hold"),
        Status("resolved", "Resolved", "closed"),
        Status("nar", "No action required", "closed"),
        Status("wont-fix", "Won't fix", "closed"),
        Status("backlog", "Backlog", "on_hold", is_archived=True),
    )
}


def is_open(slug: str) -> bool:
    return STATUSES[slug].category != "closed"
