"""The ticket fact, its links and what is left out, against what the world says really happened."""

from __future__ import annotations

import pytest

from include.simulators.truth import TicketTruth
from include.simulators.world.plan import System
from tests.gold.observed import tickets
from tests.gold.world import Loaded, instant, local_day, millis

pytestmark = pytest.mark.integration

# Plain has no ticket without a priority; its default is this one.
UNSAID = {System.PYLON: None, System.PLAIN: "medium"}
CHANNELS = {
    "chat_widget": "chat",
    "customer_portal": "portal",
    "microsoft_teams": "teams",
    "microsoft_teams_chat": "teams",
    (System.PLAIN, "form"): "api",
}


def channel(ticket: TicketTruth) -> str:
    own = CHANNELS.get((ticket.system, ticket.channel))
    return own or CHANNELS.get(ticket.channel, ticket.channel)


def left_out(ticket: TicketTruth) -> set[str | None]:
    """The rules that may keep a ticket out, None standing for the ticket fact."""
    if ticket.gone_at is not None:
        return {"deleted"} if ticket.gone_how != "erased" else {"customer_deleted", "deleted"}
    if ticket.is_spam:
        return {"spam"}
    if ticket.merged_into is not None:
        return {"merged"}
    return {None if ticket.logical_id == ticket.id else "linked_to_pylon"}


def unheard_of(loaded: Loaded) -> set[str]:
    """Deleted threads that Plain's own log does not name: it begins later than the history."""
    return {
        each.id
        for each in loaded.truth.deletions(int(loaded.at.timestamp() * 1000))
        if each.object == "thread" and each.how == "deleted" and each.learn != "deletedThreads"
    }


def seen(loaded: Loaded, ticket: TicketTruth) -> bool:
    """Whether a night could see a ticket before it was gone."""
    born = tickets(loaded)[ticket.id].born
    return ticket.gone_at is None or any(born <= millis(poll) < ticket.gone_at for poll in loaded.polls)


def test_every_ticket_is_counted_once_or_left_out_by_the_rule_that_applies(loaded: Loaded) -> None:
    placed: dict[str, str | None] = {row["ticket_id"]: None for row in loaded.relation("fct_def_tickets")}
    for row in loaded.query("select * from fct_def_exclusions where object = 'ticket'"):
        assert row["record_id"] not in placed
        placed[row["record_id"]] = row["exclusion_rule"]
    silent = unheard_of(loaded)
    # Gone before the first night that could have seen it: no system ever delivered it.
    unseen = {key for key, ticket in loaded.tickets.items() if ticket.gone_at is not None and not seen(loaded, ticket)}
    assert placed.keys() == loaded.tickets.keys() - unseen
    wrong = {
        key: (rule, left_out(loaded.tickets[key]))
        for key, rule in placed.items()
        if rule not in left_out(loaded.tickets[key]) and key not in silent
    }
    assert not wrong
    assert {"linked_to_pylon", None} <= set(placed.values())


def test_a_ticket_carries_what_the_world_says_of_it(loaded: Loaded) -> None:
    rows = loaded.relation("fct_def_tickets")
    for row in rows:
        true = loaded.tickets[row["ticket_id"]]
        assert (
            row
            | {
                "support_system": true.system.value,
                "ticket_number": true.number,
                "channel": channel(true),
                "state": true.category,
                "priority": true.priority or UNSAID[true.system],
                "created_at": instant(true.created_at),
                "created_date": local_day(true.created_at),
                "resolved_at": instant(true.resolved_at),
                "resolved_date": local_day(true.resolved_at),
                "is_resolved": true.resolved_at is not None,
                "resolution_calendar_seconds": true.resolution_seconds,
                "account_id": true.account_id if true.system is System.PYLON else None,
            }
            == row
        )


def test_links_are_those_the_issues_name_and_an_applied_one_moves_the_thread(loaded: Loaded) -> None:
    links = loaded.relation("fct_def_ticket_links")
    applied = {row["thread_id"]: row["issue_id"] for row in links if row["is_applied"]}
    elsewhere = {
        key: ticket.logical_id
        for key, ticket in loaded.tickets.items()
        if ticket.logical_id != key and ticket.gone_at is None
    }
    assert elsewhere.items() <= applied.items()
    # What is applied beyond that is of threads that do not count for another reason.
    assert all(loaded.tickets[thread].gone_at is not None for thread in applied.keys() - elsewhere.keys())
    assert {row["evidence"] for row in links if not row["is_thread_known"]} <= {"external_id"}
    created = {row["ticket_id"]: row for row in loaded.relation("fct_def_tickets")}
    for issue in set(applied.values()) & created.keys():
        threads = [instant(loaded.tickets[t].created_at) for t, i in applied.items() if i == issue]
        assert created[issue]["plain_created_at"] == min(threads)


def test_the_logical_tickets_are_those_of_both_systems_less_the_linked_ones(loaded: Loaded) -> None:
    (counts,) = loaded.query("""
        select
            (select count(*) from fct_def_tickets) as logical,
            (select count(*) from SILVER.def_pylon_issues where not is_deleted) as pylon,
            (select count(*) from SILVER.def_plain_threads) as plain,
            (select count(*) from fct_def_exclusions
             where object = 'ticket' and support_system = 'plain' and exclusion_rule <> 'linked_to_pylon') as dropped,
            (select count(*) from fct_def_exclusions
             where object = 'ticket' and exclusion_rule = 'linked_to_pylon') as linked
    """)
    assert counts["logical"] == counts["pylon"] + counts["plain"] - counts["dropped"] - counts["linked"]
