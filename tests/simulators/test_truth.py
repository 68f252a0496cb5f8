"""Truth, recounted by brute force: from what the servers reply at instants, and from time walked minute by minute."""

import re
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.simulators.clock import Clock
from include.simulators.plain.api import PlainApi
from include.simulators.plain.api import Settings as PlainSettings
from include.simulators.pylon.api import PylonApi
from include.simulators.pylon.settings import Settings
from include.simulators.truth import Truth, as_json
from include.simulators.world.calendar import HOLIDAYS, business_instant, business_seconds
from include.simulators.world.lifecycle import Kind, Role
from include.simulators.world.plan import System
from include.simulators.world.statuses import STATUSES
from include.simulators.world.times import DAY, HOUR, LOCAL_OFFSET, MINUTE, instant, local_date, local_midnight
from include.simulators.world.world import World

from .driver import ask, graphql, search_all

SEEDS = (1, 2, 7)
THREAD = re.compile(r"\bth_[0-9A-HJKMNP-TV-Z]{26}\b")
THREADS = """query ($after: String) { threads(first: 100, after: $after) {
  edges { node { id status customer { markedAsSpamAt { iso8601 } } links(first: 10) { edges { node { linkType } } } } }
  pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed {seed}")
def world(request):
    return World(request.param, "tiny")


@pytest.fixture(scope="module")
def truth(world):
    return Truth(world)


class Vendors:
    """Both servers over one world, at an instant of choice."""

    def __init__(self, world: World, folder) -> None:
        self.clock = Clock(folder / "clock.json", None, world.size.clock)
        self.pylon = PylonApi(world, self.clock, Settings(limits=False, empty="list"))
        self.plain = PlainApi(world, self.clock, PlainSettings(limits=False))

    def issues(self, at):
        self.clock.set(at)
        return search_all(self.pylon)

    def messages(self, issue):
        return ask(self.pylon, "GET", f"/issues/{issue['id']}/messages").json["data"]

    def threads(self, at):
        self.clock.set(at)
        found, after = [], None
        while True:
            page = graphql(self.plain, THREADS, {"after": after}).json["data"]["threads"]
            found += [edge["node"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found


@pytest.fixture(scope="module")
def vendors(world, tmp_path_factory):
    return Vendors(world, tmp_path_factory.mktemp("data"))


def instants(world):
    return [world.size.cut_over - 5 * DAY, world.size.cut_over + 3 * DAY, world.size.clock, world.size.clock + 90 * DAY]


def threads_named(issues):
    """The Plain threads that issues point to, by whatever means."""
    found = set()
    for issue in issues:
        entries = [f"{entry['external_id']} {entry['link']}" for entry in issue.get("external_issues", [])]
        for text in (issue["body_html"], *entries):
            found.update(THREAD.findall(text))
    return found


def open_by_category(slug):
    return STATUSES[slug].category != "closed"


def test_truth_tells_of_every_issue_what_the_server_replies(world, truth, vendors):
    for at in instants(world):
        told = {t.id: t for t in truth.tickets(at) if t.system is System.PYLON and t.gone_at is None}
        rows = vendors.issues(at)
        assert {row["id"] for row in rows} == set(told)
        for row in rows:
            ticket, messages = told[row["id"]], vendors.messages(row)
            human = [m["timestamp"] for m in messages if not m["is_private"] and "user" in m.get("author", {})]
            assert ticket.first_response_kept_at == min(map(instant, human), default=None)
            assert ticket.messages == len(messages)
            assert ticket.is_open == open_by_category(row["state"])
            assert ticket.resolved_at == (row["resolution_time"] and instant(row["resolution_time"]))
            assert [score for _, score in ticket.scores] == [r["score"] for r in row.get("csat_responses", [])]
            assert ticket.priority == row["custom_fields"].get("priority", {}).get("value")
            assert (ticket.account_id, ticket.created_at) == (
                row["account"] and row["account"]["id"],
                instant(row["created_at"]),
            )


def test_tickets_per_day_channel_and_system_are_what_a_count_of_the_replies_gives(world, truth, vendors):
    for at in instants(world):
        issues, threads = vendors.issues(at), vendors.threads(at)
        named = threads_named(issues)
        merged = {t["id"] for t in threads if any(e["node"]["linkType"] == "MERGED_INTO" for e in t["links"]["edges"])}
        spam = {t["id"] for t in threads if t["customer"]["markedAsSpamAt"]}
        counted = {issue["id"] for issue in issues} | {t["id"] for t in threads} - named - merged - spam
        about = {ticket.id: ticket for ticket in truth.tickets(at)}
        expected = Counter(
            (local_date(about[name].created_at).isoformat(), about[name].system.value, about[name].channel)
            for name in counted
        )
        rows = truth.tickets_daily(at)
        assert {(r["day"], r["system"], r["channel"]): r["tickets"] for r in rows if r["tickets"]} == expected
        assert sum(row["linked"] for row in rows) == len(named & {t["id"] for t in threads} - spam - merged)


def test_the_backlog_of_a_day_is_what_was_open_when_it_ended(world, truth, vendors):
    for at in instants(world):
        day = local_date(at)
        end = local_midnight(day + timedelta(days=1)) - 1
        issues, threads = vendors.issues(end), vendors.threads(end)
        named = threads_named(issues)
        still = [t for t in threads if t["status"] != "DONE" and t["id"] not in named]
        expected = {
            "plain": len([thread for thread in still if not thread["customer"]["markedAsSpamAt"]]),
            "pylon": len([issue for issue in issues if open_by_category(issue["state"])]),
        }
        assert truth.backlog(day) == expected


def test_csat_sums_are_those_of_the_answers_given(world, truth, vendors):
    for at in instants(world):
        issues = vendors.issues(at)
        scores = [response["score"] for issue in issues for response in issue.get("csat_responses", [])]
        rows = [row for row in truth.csat_daily(at) if row["system"] == "pylon"]
        assert (sum(row["csat_sum"] for row in rows), sum(row["csat_count"] for row in rows)) == (
            sum(scores),
            len(scores),
        )


def test_reopenings_are_what_watching_every_moment_shows(world, truth):
    at = world.size.clock + 90 * DAY
    seen = Counter()
    for told in truth.tickets(at):
        ticket = next(t for t in world.tickets if truth.ticket_id(t) == told.id)
        statuses = [
            world.state(ticket.index, event.at).is_open for event in world.events(ticket.index) if event.at <= at
        ]
        reopened = sum(now and not was for was, now in zip(statuses, statuses[1:], strict=False))
        assert told.reopened == reopened
        seen[reopened] += 1
    assert seen[1]


def test_the_first_answer_of_a_human_is_the_earliest_that_watching_every_moment_shows(world, truth):
    at = world.size.clock + 90 * DAY
    removed = bots = 0
    for told in truth.tickets(at):
        ticket = next(t for t in world.tickets if truth.ticket_id(t) == told.id)
        watched = [world.state(ticket.index, event.at) for event in world.events(ticket.index) if event.at <= at]
        public = [m for state in watched for m in state.messages if m.visibility != "private"]
        human = min((m.stamp for m in public if m.author.role is Role.AGENT), default=None)
        anyone = min((m.stamp for m in public if m.author.role is not Role.CONTACT), default=None)
        assert (told.first_response_at, told.first_reply_at) == (human, anyone)
        removed += told.first_response_at != told.first_response_kept_at
        bots += told.first_reply_at != told.first_response_at
    assert removed
    assert bots


def test_everything_seen_once_and_gone_is_told_as_deleted(world, truth, vendors):
    at = world.size.clock + 90 * DAY
    ever = {}
    for ticket in world.tickets:
        if ticket.born <= at:
            kind = "issue" if ticket.system is System.PYLON else "thread"
            ever[truth.ticket_id(ticket)] = kind
    still = {row["id"] for row in vendors.issues(at)} | {thread["id"] for thread in vendors.threads(at)}
    told = {d.id: d for d in truth.deletions(at) if d.object in ("issue", "thread")}
    assert set(told) == set(ever) - still
    for identifier, deletion in told.items():
        shown = {row["id"] for row in vendors.issues(deletion.at - 1)} | {
            t["id"] for t in vendors.threads(deletion.at - 1)
        }
        now = {row["id"] for row in vendors.issues(deletion.at)} | {t["id"] for t in vendors.threads(deletion.at)}
        assert identifier in shown - now
        assert deletion.object == ever[identifier]


def test_messages_told_as_removed_are_the_ones_the_server_stopped_showing(world, truth, vendors):
    at = world.size.clock + 90 * DAY
    issues = vendors.issues(at)
    shown = {message["id"] for issue in issues for message in vendors.messages(issue)}
    told = {d.id: d for d in truth.deletions(at) if d.object == "message"}
    assert not shown & set(told)
    own = {truth.records.issue_id(t.index) for t in world.tickets if not t.absorbed}
    written = {
        truth.records.message_id(t.index, event.number)
        for t in world.tickets
        if truth.records.issue_id(t.index) in own & {issue["id"] for issue in issues}
        for event in world.events(t.index)
        if event.kind is Kind.MESSAGE and event.at <= at
    }
    assert written - shown == set(told) & written
    assert told


def test_what_polls_saw_is_what_the_server_replied_at_them(world, truth, vendors):
    polls = [world.size.clock + night * DAY for night in range(-12, 6)]
    seen: dict[str, list[tuple[int, str]]] = {}
    for at in polls:
        for row in vendors.issues(at):
            versions = seen.setdefault(row["id"], [])
            if not versions or versions[-1][0] != instant(row["updated_at"]):
                versions.append((instant(row["updated_at"]), row["state"]))
    last = {row["id"] for row in vendors.issues(polls[-1])}
    told = {t.id: t for t in truth.observed(polls) if t.system is System.PYLON}
    assert {name: [(v.stamp, v.status) for v in ticket.versions] for name, ticket in told.items()} == seen
    assert {name for name, ticket in told.items() if ticket.is_there} == last


def test_polled_at_every_moment_what_was_seen_is_what_happened(world, truth):
    at = world.size.clock
    chosen = [t for t in truth.tickets(at) if t.gone_at is None][:25]
    polls = sorted({e.at for t in world.tickets if t.born <= at for e in world.events(t.index) if e.at <= at})
    observed = {ticket.id: ticket for ticket in truth.observed(polls)}
    for ticket in chosen:
        assert observed[ticket.id].reopened == ticket.reopened
        assert observed[ticket.id].versions[-1].status == ticket.status
    day = local_date(at - 3 * DAY)
    assert {name: found["open"] for name, found in truth.observed_backlog(day, polls).items()} == truth.backlog(day, at)


# -- service clocks


def walked(start, end):
    """Business seconds by walking whole minutes; start and end are whole minutes."""
    total = 0
    for at in range(start, end, MINUTE):
        local = (at + LOCAL_OFFSET) % DAY
        day = local_date(at)
        if day.weekday() < 5 and day not in HOLIDAYS and 8 * HOUR <= local < 18 * HOUR:
            total += 60
    return total


MINUTES = st.integers(instant("2025-12-18T00:00:00Z") // MINUTE, instant("2026-01-10T00:00:00Z") // MINUTE)


@settings(max_examples=40, deadline=None)
@given(MINUTES, st.integers(0, 12 * 24 * 60))
def test_business_seconds_are_what_walking_the_minutes_gives(start, length):
    start *= MINUTE
    assert business_seconds(start, start + length * MINUTE) == walked(start, start + length * MINUTE)


@settings(max_examples=40, deadline=None)
@given(MINUTES, st.integers(1, 50 * 60))
def test_a_due_instant_is_the_first_by_which_the_time_has_passed(start, minutes):
    due = business_instant(start * MINUTE, minutes * MINUTE)
    assert business_seconds(start * MINUTE, due) == minutes * 60
    assert business_seconds(start * MINUTE, due - 1_000) < minutes * 60


def test_from_friday_17_to_monday_9_are_two_business_hours():
    assert business_seconds(instant("2026-01-09T20:00:00Z"), instant("2026-01-12T12:00:00Z")) == 2 * 3_600


def test_service_outcomes_follow_from_the_priority_when_the_clock_stopped(world, truth):
    at = world.size.clock + 90 * DAY
    hours = {"urgent": (1, 4), "high": (4, 10), "medium": (10, 30), "low": (30, 50)}
    seen = Counter()
    for told in truth.tickets(at):
        ticket = next(t for t in world.tickets if truth.ticket_id(t) == told.id)
        stops = (told.first_response_at, told.resolved_at)
        for which, (clock, stop) in enumerate(zip((told.first_response_sla, told.resolution_sla), stops, strict=True)):
            priority = world.state(ticket.index, at if stop is None else stop).priority
            seen[clock.outcome] += 1
            if priority is None:
                assert (clock.outcome, clock.due_at) == ("no_target", None)
                continue
            target = hours[priority][which] * 3_600
            assert (clock.priority, clock.stopped_at) == (priority, stop)
            elapsed = business_seconds(told.created_at, at if stop is None else stop)
            if stop is None:
                assert clock.outcome == (
                    "overdue" if elapsed >= target else "at_risk" if elapsed >= target * 0.75 else "running"
                )
            else:
                assert (clock.outcome == "met") == (stop <= clock.due_at)
                assert elapsed <= target if clock.outcome == "met" else elapsed >= target
    assert {"met", "breached", "overdue", "no_target"} <= set(seen)


def test_as_json_writes_instants_as_text(truth, world):
    ticket = next(iter(truth.tickets(world.size.clock)))
    told = as_json(ticket)
    assert instant(told["created_at"]) == ticket.created_at
    assert told["reopened"] == ticket.reopened
    assert date.fromisoformat(truth.tickets_daily(world.size.clock)[0]["day"])
