"""The current row of every object, in the shape a client is given it."""

from collections.abc import Callable, Iterator
from typing import Any

from .plain.people import Facts
from .pylon.records import Record, Records
from .world.directory import TEAMS
from .world.fields import FIELDS, TAGS
from .world.plan import System
from .world.times import iso, iso_ms
from .world.world import World

OBJECTS = (
    *("pylon_issues", "pylon_messages", "pylon_survey_responses", "pylon_accounts", "pylon_contacts", "pylon_users"),
    *("pylon_teams", "pylon_tags", "pylon_custom_fields", "pylon_issue_statuses"),
    *("plain_threads", "plain_customers", "plain_deleted_threads"),
)


def current_rows(world: World, name: str, at: int) -> Iterator[Record]:
    """The rows of one object at an instant; a KeyError for an object that is none of them."""
    makers: dict[str, Callable[[], Iterator[Record]]] = {
        "pylon_issues": lambda: (records.issue(world.state(index, at)) for index in shown),
        "pylon_messages": lambda: _messages(world, records, shown, at),
        "pylon_survey_responses": lambda: _responses(world, records, shown, at),
        "pylon_accounts": lambda: (records.account(view, at) for view in world.directory.accounts_at(at)),
        "pylon_contacts": lambda: (records.contact(contact, at) for contact in world.directory.contacts_at(at)),
        "pylon_users": lambda: (records.user(agent, at) for agent in world.directory.agents if agent.joined <= at),
        "pylon_teams": lambda: (records.team(index, at) for index in range(len(TEAMS))),
        "pylon_tags": lambda: (records.tag(index) for index in range(len(TAGS))),
        "pylon_custom_fields": lambda: (records.custom_field(field) for field in FIELDS),
        "pylon_issue_statuses": lambda: iter(records.statuses()),
        "plain_threads": lambda: _threads(world, at),
        "plain_customers": lambda: _customers(world, at),
        "plain_deleted_threads": lambda: _deleted(world, at),
    }
    records = Records(world)
    shown = list(world.snapshot(System.PYLON, at).tickets)
    return makers[name]()


def _messages(world: World, records: Records, shown: list[int], at: int) -> Iterator[Record]:
    for index in shown:
        state = world.state(index, at)
        for message in state.messages:
            yield {"issue_id": records.issue_id(index), **records.message(state, message)}


def _responses(world: World, records: Records, shown: list[int], at: int) -> Iterator[Record]:
    for index in shown:
        yield from (r for r in records.survey_responses(world.state(index, at)) if "submitted_at" in r)


def _threads(world: World, at: int) -> Iterator[dict[str, Any]]:
    for index in world.snapshot(System.PLAIN, at).tickets:
        state = world.state(index, at)
        yield {
            "id": world.thread_id(index),
            "ref": f"T-{state.ticket.number}",
            "title": world.title(state.ticket),
            "status": state.status,
            "created_at": iso_ms(state.ticket.created),
            "updated_at": iso_ms(state.updated),
        }


def _customers(world: World, at: int) -> Iterator[dict[str, Any]]:
    facts = Facts(world)
    for contact in world.directory.contacts:
        erased = contact.erased is not None and contact.erased <= at
        if contact.created <= min(at, facts.last_newcomer) and not erased:
            yield {"id": facts.customer_id(contact.index), "email": contact.email, "name": contact.name}


def _deleted(world: World, at: int) -> Iterator[dict[str, Any]]:
    for index, (gone, kind) in world.timelines[System.PLAIN].gone.items():
        if kind == "deleted" and world.deletions_logged_from <= gone <= at:
            yield {"thread_id": world.thread_id(index), "deleted_at": iso(gone)}
