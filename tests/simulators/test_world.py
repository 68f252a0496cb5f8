from itertools import pairwise

import pytest

from include.simulators.world.plan import Fate, Overlap, System
from include.simulators.world.times import DAY, instant
from include.simulators.world.world import World

MOMENTS = [instant(f"{day}T06:20:00Z") for day in ("2025-12-03", "2025-12-16", "2026-01-05", "2026-06-01")]


def test_the_same_seed_gives_the_same_history():
    one, other = World(3, "tiny"), World(3, "tiny")
    assert one.tickets == other.tickets
    assert [one.events(t.index) for t in one.tickets] == [other.events(t.index) for t in other.tickets]


def test_another_seed_gives_another_history(tiny):
    assert World(8, "tiny").tickets != tiny.tickets


def test_every_ticket_begins_with_its_creation_and_no_two_of_its_events_share_an_instant(tiny):
    for ticket in tiny.tickets:
        events = tiny.events(ticket.index)
        assert events[0].kind == "created"
        assert events[0].at == ticket.born
        assert all(earlier.at < later.at for earlier, later in pairwise(events))


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_a_tiny_world_holds_every_kind_of_end_and_every_kind_of_overlap_before_the_default_clock(seed):
    world = World(seed, "tiny")
    known = [ticket for ticket in world.tickets if ticket.born <= world.size.clock]
    assert {t.fate for t in known} >= set(Fate) - {Fate.ERASED}
    assert {t.overlap for t in known} >= set(Overlap) - {Overlap.SEVERAL, Overlap.DANGLING}


def test_history_goes_on_for_nine_months_after_the_default_clock(tiny):
    at = tiny.size.clock
    for _ in range(9):
        before = tiny.snapshot(System.PYLON, at)
        at += 30 * DAY
        after = tiny.snapshot(System.PYLON, at)
        assert set(after.tickets) - set(before.tickets)


@pytest.mark.parametrize("at", MOMENTS)
def test_a_snapshot_shows_just_the_tickets_that_are_there(tiny, at):
    for system in System:
        expected = {
            ticket.index
            for ticket in tiny.tickets
            if ticket.system is system
            and ticket.born <= at
            and not (ticket.fate in (Fate.DELETED, Fate.ERASED) and is_under(ticket, at))
            and not (system is System.PYLON and ticket.fate in (Fate.MERGED, Fate.SPAM) and is_under(ticket, at))
        }
        assert set(tiny.snapshot(system, at).tickets) == expected


def is_under(ticket, at):
    """Whether a ticket's fate has it in its hands."""
    return ticket.fate_at <= at and not 0 < ticket.back_at <= at


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_some_of_what_was_gone_comes_back_and_goes_on_from_where_it_was(seed):
    world = World(seed, "tiny")
    back = [ticket for ticket in world.tickets if ticket.back_at]
    assert {(ticket.system, ticket.fate) for ticket in back} == {
        (System.PYLON, Fate.SPAM),
        (System.PLAIN, Fate.DELETED),
    }
    for ticket in back:
        before, after = world.state(ticket.index, ticket.fate_at - 1), world.state(ticket.index, ticket.back_at)
        assert [ticket.index in world.snapshot(ticket.system, at).position for at in gone_between(ticket)] == [
            True,
            False,
            False,
            True,
        ]
        assert (before.status, before.messages, before.fields) == (after.status, after.messages, after.fields)
        assert after.updated == ticket.back_at
        assert after.ended is None
    gone_for_good = [ticket for ticket in world.tickets if ticket.fate is Fate.SPAM and not ticket.back_at]
    assert gone_for_good


def gone_between(ticket):
    return ticket.fate_at - 1, ticket.fate_at, ticket.back_at - 1, ticket.back_at


@pytest.mark.parametrize("at", MOMENTS)
def test_a_snapshot_agrees_with_the_folded_state_of_each_ticket(tiny, at):
    for system in System:
        snapshot = tiny.snapshot(system, at)
        for index, updated, version in zip(snapshot.tickets, snapshot.updated, snapshot.versions, strict=True):
            state = tiny.state(index, at)
            assert (state.updated, state.events) == (updated, version)


def test_a_thread_that_goes_on_in_pylon_is_closed_in_plain_and_silent_from_then_on(small):
    moved = [ticket for ticket in small.tickets if ticket.moved]
    assert moved
    for ticket in moved:
        assert small.events(ticket.index)[-1].at <= ticket.moved
        assert not small.state(ticket.index, ticket.moved).is_open


def test_an_account_in_a_contacts_record_is_one_that_is_there(small):
    merged = [account for account in small.directory.accounts if account.merged_at is not None]
    assert merged
    for account in merged:
        owner = small.directory.owner_account(account.index, account.merged_at)
        assert small.directory.accounts[owner].exists_at(account.merged_at)
        assert small.directory.owner_account(account.index, account.merged_at - 1) == account.index


def test_a_history_of_a_year_is_as_large_as_it_says(small):
    at = small.size.clock
    shown = small.snapshot(System.PYLON, at).tickets
    messages = sum(len(small.state(index, at).messages) for index in shown)
    accounts = sum(account.exists_at(at) for account in small.directory.accounts)
    working = sum(agent.works_at(at) for agent in small.directory.agents)
    assert 1_350 <= len(shown) <= 1_650
    assert 11_000 <= messages <= 17_000
    assert 90 <= accounts <= 110
    assert 12 <= working <= 20
    assert any(not agent.works_at(at) and agent.joined < at for agent in small.directory.agents)
