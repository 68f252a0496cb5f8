"""Messages and who wrote them, against the world."""

from __future__ import annotations

from collections import Counter

import pytest

from include.simulators.drops import employee_id
from include.simulators.world.plan import System
from tests.gold.world import Loaded, instant, millis

pytestmark = pytest.mark.integration


def test_every_message_that_is_still_there_is_counted_once(loaded: Loaded) -> None:
    held: Counter[str] = Counter()
    for row in loaded.relation("fct_def_messages"):
        # What came over from a merged thread is the other thread's in the world's own count.
        held[row["ticket_id"]] += row["message_kind"] != "MergedThreadMessageEntry"
    counted = {row["ticket_id"] for row in loaded.relation("fct_def_tickets")}
    true = {key: loaded.tickets[key].messages for key in counted if loaded.tickets[key].gone_at is None}
    assert {key: held[key] for key in true} == true


def test_messages_of_threads_that_go_on_in_pylon_leave_with_them(loaded: Loaded) -> None:
    linked = loaded.query(
        "select ticket_id from fct_def_exclusions where object = 'message' and exclusion_rule = 'ticket_linked_to_pylon'"
    )
    threads = {row["ticket_id"] for row in linked}
    assert threads
    assert all(loaded.tickets[key].system is System.PLAIN for key in threads)
    assert all(loaded.tickets[key].logical_id != key for key in threads)
    assert not threads & {row["ticket_id"] for row in loaded.relation("fct_def_messages")}


def test_the_first_human_answer_is_by_somebody_of_the_team(loaded: Loaded) -> None:
    first = {
        row["ticket_id"]: row["at"]
        for row in loaded.query(
            "select ticket_id, min(sent_at) as at from fct_def_messages"
            " where author_kind = 'agent' and not is_private and message_kind <> 'MergedThreadMessageEntry' group by all"
        )
    }
    counted = {row["ticket_id"] for row in loaded.relation("fct_def_tickets")}
    true = {key: instant(loaded.tickets[key].first_response_kept_at) for key in counted & first.keys()}
    assert {key: first[key] for key in true} == true
    assert len(true) > 20


def test_agents_are_the_rosters_employees_whatever_the_case_of_their_address(loaded: Loaded) -> None:
    agents = loaded.world.directory.agents
    by_email = {agent.email: agent for agent in agents}
    rows = loaded.relation("dim_employee_def")
    hired = {agent for agent in agents if agent.joined <= millis(loaded.at) and agent.index != 2}  # not on the roster
    assert {row["eid"] for row in rows} == {employee_id(agent) for agent in hired} | {"E9001"}
    for row in rows:
        agent = by_email.get(row["email"])
        if agent is not None:
            assert row["eid"] == employee_id(agent)
            assert row["is_support_agent"] == (agent.team == 0)
    wrote = loaded.query("select distinct eid, author_id from fct_def_messages where author_kind = 'agent'")
    assert {row["eid"] for row in wrote} - {None} <= {employee_id(agent) for agent in hired}
    assert any(row["eid"] == "E0002" for row in wrote)  # spelt in capitals on the roster


def test_tenure_is_that_of_the_day_of_the_event(loaded: Loaded) -> None:
    rows = loaded.query("""
        select messages.tenure_bucket, messages.sent_date - employees.hire_date as days, messages.wave_period,
               employees.wave_period as wave
        from fct_def_messages as messages inner join dim_employee_def as employees using (eid)
    """)
    steps = [(0, "before hire"), (30, "0-29 days"), (90, "30-89 days"), (180, "90-179 days"), (365, "180-364 days")]
    for row in rows:
        expected = next((name for end, name in steps if row["days"] < end), "365 days or more")
        assert row["tenure_bucket"] == expected
        assert row["wave_period"] == row["wave"]
    assert rows
