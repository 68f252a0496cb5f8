"""Survey answers, quality reviews, agent days and loads, against the world and the files it dropped."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from include.bronze.steps import FILE_CORRECTIONS
from include.simulators.drops import agent_days, employee_id, qa_reviews
from include.simulators.world.lifecycle import Kind
from include.simulators.world.plan import System
from include.simulators.world.times import local_date
from tests.gold.test_tickets_truth import channel
from tests.gold.world import FAILS_AT_FIRST, Loaded, instant, local_day, millis, poll_of

pytestmark = pytest.mark.integration

NOT_ON_ROSTER = 2  # the agent the roster does not have


def test_every_survey_answer_is_counted_once_on_its_day(loaded: Loaded) -> None:
    counting = {key: t for key, t in loaded.tickets.items() if t.gone_at is None and not t.is_spam}
    sent = {
        loaded.truth.ticket_id(ticket): [e.at for e in loaded.world.events(ticket.index) if e.kind is Kind.SURVEYED]
        for ticket in loaded.world.tickets
    }
    true = sorted(
        (t.id, t.system.value, channel(t), instant(at), local_day(at), score)
        for t in counting.values()
        for at, score in t.scores
        if t.system is System.PYLON or not _hidden_by_the_next(loaded, at, sent[t.id])
    )
    columns = ("ticket_id", "support_system", "channel", "answered_at", "answered_date", "score")
    held = [tuple(row[name] for name in columns) for row in loaded.relation("fct_def_csat")]
    assert sorted(row for row in held if row[0] in counting) == true
    assert len(true) > 5
    tickets = {row["ticket_key"] for row in loaded.relation("fct_def_tickets")}
    assert {row["ticket_key"] for row in loaded.relation("fct_def_csat")} <= tickets


def _hidden_by_the_next(loaded: Loaded, answered: int, sent: list[int]) -> bool:
    """Plain shows the newest survey of a thread only: an answer is lost if the next one is sent before the next night."""
    seen = next(millis(poll) for poll in loaded.polls if millis(poll) >= answered)
    return any(answered < at <= seen for at in sent)


def test_every_review_that_was_dropped_is_there_with_its_agent(loaded: Loaded) -> None:
    eids = {agent.email: employee_id(agent) for agent in loaded.world.directory.agents if agent.index != NOT_ON_ROSTER}
    last = _last_dropped_day(loaded)
    true = {
        row["review_id"]: (
            instant(at),
            local_day(at),
            row["score"],
            row["critical_error"],
            eids.get(row["agent_email"]),
        )
        for at, row in qa_reviews(loaded.world)
        if local_date(at) <= last
    }
    held = {
        row["review_id"]: (
            *(row["reviewed_at"], row["reviewed_date"], int(row["score"]), row["is_critical_error"], row["eid"]),
        )
        for row in loaded.relation("fct_def_qa_reviews")
    }
    assert held == true


def test_an_agents_day_is_the_one_last_dropped_and_others_agents_are_left_out(loaded: Loaded) -> None:
    # What is dropped before the day the history begins is of no interest.
    last, day = _last_dropped_day(loaded), local_date(loaded.world.size.start) + timedelta(days=1)
    true: dict[tuple[str, date], dict[str, Any]] = {}
    while day <= last:
        for row in agent_days(loaded.world, day, _last_read(loaded, day)):
            true[row["employee_id"], day] = row
        day += timedelta(days=1)
    stranger = employee_id(loaded.world.directory.agents[NOT_ON_ROSTER])
    held = {(row["eid"], row["work_date"]): row for row in loaded.relation("fct_def_agent_days")}
    assert held.keys() == {key for key in true if key[0] != stranger}
    for key, row in held.items():
        for column in ("scheduled_seconds", "active_seconds", "handle_seconds", "break_seconds"):
            assert row[column] == true[key][column], (key, column)
    left_out = loaded.query("select record_id from fct_def_exclusions where exclusion_rule = 'not_on_roster'")
    assert len(left_out) == sum(key[0] == stranger for key in true) > 0


def test_every_load_is_in_the_syncs(loaded: Loaded) -> None:
    true = loaded.query(
        "select STREAM as stream, BATCH_ID as batch_id, ROW_COUNT as n from BRONZE.INGEST_BATCHES order by all"
    )
    held = loaded.query(
        "select stream, batch_id, rows_loaded as n from fct_def_syncs where sync_status = 'loaded' order by all"
    )
    assert held == true
    assert {row["stream"] for row in held} > {"pylon_issues", "plain_threads", "qa_reviews"}


def test_a_try_that_failed_is_in_the_syncs_with_its_reason_and_in_the_report(loaded: Loaded) -> None:
    failed = loaded.query("select * from fct_def_syncs where sync_status = 'failed'")
    nights = poll_of(FAILS_AT_FIRST) in loaded.polls
    assert [(row["stream"], row["rows_loaded"]) for row in failed] == [("pylon_teams", 0)] * nights
    assert all("403" in row["error"] for row in failed)
    shown = loaded.query("select stream, failures, last_failed_at as at from rpt_def_sync_status_current")
    assert {row["stream"]: row["at"] for row in shown if row["failures"]} == {
        row["stream"]: row["ended_at"] for row in failed
    }
    tried = loaded.query("select ATTEMPT as attempt from BRONZE.INGEST_ATTEMPTS order by all")
    assert loaded.query("select attempt from fct_def_syncs where started_at is not null order by all") == tried


def _last_dropped_day(loaded: Loaded) -> date:
    """A day's files come when the day is over, and are read by the night after."""
    return local_date(millis(loaded.at)) - timedelta(days=1)


def _last_read(loaded: Loaded, day: date) -> int:
    """When a day's file was read last: by the night after, and again by those that may find it corrected."""
    nights = [millis(poll) for poll in loaded.polls if local_date(millis(poll)) > day]
    return max([nights[0], *(at for at in nights if local_date(at) <= day + FILE_CORRECTIONS)])
