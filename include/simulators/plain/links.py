"""Links from a thread to what it is about elsewhere: issues of trackers, and threads it was merged into."""

from ..world import ids
from ..world.plan import Ticket
from ..world.state import State
from .people import Fields, People, moment


class Links:
    def __init__(self, people: People) -> None:
        self.people = people
        self.world = people.facts.world

    def of(self, state: State) -> list[Fields]:
        """Every link of a thread, oldest first."""
        links = [self.tracker(state.ticket, link.source, link.key, link.link, link.at) for link in state.links]
        if state.merged_into is not None:
            links.append(self.merge(state.ticket))
        return links

    def tracker(self, ticket: Ticket, source: str, key: str, url: str, at: int) -> Fields:
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

    def merge_id(self, ticket: Ticket) -> str:
        return ids.ulid(self.world.seed, "tl", ticket.fate_at, ticket.index, 0)

    def merge(self, ticket: Ticket) -> Fields:
        target = self.world.tickets[ticket.target]
        target_id = self.world.thread_id(target.index)
        return {
            "__typename": "PlainThreadThreadLink",
            "id": self.merge_id(ticket),
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
