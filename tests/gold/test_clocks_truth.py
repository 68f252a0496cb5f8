"""Waits, states, episodes, service clocks and the backlog, against the world.

What is told by messages and stamps equals what happened; states, and what follows from them, equal what could be seen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest

from include.simulators.truth import TARGET_HOURS
from include.simulators.world.calendar import business_instant, business_seconds
from include.simulators.world.lifecycle import Role
from include.simulators.world.plan import System, Ticket
from include.simulators.world.times import HOUR, local_midnight
from tests.gold import observed
from tests.gold.world import ZONE_OFFSET, Loaded, Row, instant, millis

pytestmark = pytest.mark.integration


def counted(loaded: Loaded) -> dict[str, Ticket]:
    """The tickets that count, as the world has them."""
    held = {row["ticket_id"] for row in loaded.query("select ticket_id from fct_def_tickets")}
    return {key: ticket for key, ticket in observed.tickets(loaded).items() if key in held}


def clocks(loaded: Loaded) -> dict[str, Row]:
    return {row["ticket_id"]: row for row in loaded.relation("fct_def_ticket_clocks")}


def by_ticket(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["ticket_id"]].append(row)
    return found


def to_millis(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1)) / timedelta(milliseconds=1))


def local_day(at: datetime) -> date:
    return (at + ZONE_OFFSET).date()


def seconds(start: datetime, end: datetime | None) -> tuple[int | None, int | None]:
    """Calendar and business seconds between two instants."""
    if end is None:
        return None, None
    return int((end - start).total_seconds()), business_seconds(to_millis(start), to_millis(end))


# ---------------------------------------------------------------- what messages and stamps tell


def test_first_responses_are_those_that_were_given_and_read(loaded: Loaded) -> None:
    expected = {}
    for key, ticket in counted(loaded).items():
        messages = observed.said(loaded, ticket)
        created = instant(ticket.created)
        answered, replied = observed.first(messages, Role.AGENT), observed.first(messages, Role.AGENT, Role.BOT)
        expected[key] = (answered, *seconds(created, answered), replied, *seconds(created, replied))
    spans = ("at", "calendar_seconds", "business_seconds")
    assert {
        key: tuple(row[f"{what}_response_{span}"] for what in ("first", "any") for span in spans)
        for key, row in clocks(loaded).items()
    } == expected


def test_first_responses_are_the_actual_ones_unless_they_were_taken_back_before_anybody_looked(loaded: Loaded) -> None:
    true = {key: loaded.tickets[key] for key in counted(loaded)}
    held = clocks(loaded)
    settled = {key for key, ticket in true.items() if ticket.first_response_at == ticket.first_response_kept_at}
    assert {key: (held[key]["first_response_at"], held[key]["first_response_business_seconds"]) for key in settled} == {
        key: (instant(true[key].first_response_at), true[key].first_response_business_seconds) for key in settled
    }
    assert len(settled) > 0.9 * len(true)


def test_resolutions_are_the_actual_ones(loaded: Loaded) -> None:
    true = {key: loaded.tickets[key] for key in counted(loaded)}
    names = ("resolution_at", "resolution_calendar_seconds", "resolution_business_seconds", "is_open")
    assert {key: tuple(row[name] for name in names) for key, row in clocks(loaded).items()} == {
        key: (
            instant(ticket.resolved_at),
            ticket.resolution_seconds,
            ticket.resolution_business_seconds,
            ticket.resolved_at is None,
        )
        for key, ticket in true.items()
    }


def test_waits_are_those_a_reader_of_the_messages_would_count(loaded: Loaded) -> None:
    expected = {key: observed.waits(observed.said(loaded, ticket)) for key, ticket in counted(loaded).items()}
    held = by_ticket(loaded.query("select * from fct_def_replies order by ticket_id, wait_number"))
    assert {
        key: [(row["wait_started_at"], row["answered_at"], row["responder_id"]) for row in held[key]]
        for key in expected
    } == {key: [(w.started_at, w.answered_at, w.responder_id) for w in waits] for key, waits in expected.items()}
    assert held.keys() <= expected.keys()
    for rows in held.values():
        for row in rows:
            assert (row["wait_calendar_seconds"], row["wait_business_seconds"]) == seconds(
                row["wait_started_at"], row["answered_at"]
            )
    outcomes = Counter(row["wait_outcome"] for rows in held.values() for row in rows)
    assert outcomes["answered"] > 50
    assert outcomes["waiting"] + outcomes["closed"] > 0


# ---------------------------------------------------------------- what could be seen


def test_states_are_those_that_could_be_seen(loaded: Loaded) -> None:
    expected = {key: observed.runs(loaded, ticket) for key, ticket in counted(loaded).items()}
    held = by_ticket(loaded.query("select * from fct_def_ticket_states order by ticket_id, run_number"))
    for key, ticket in counted(loaded).items():
        shown = "source_state" if ticket.system is System.PYLON else "state"
        found = [
            observed.Run(row["started_at"], row[shown] or row["state"], row["ended_at"], row["ended_how"])
            for row in held[key]
        ]
        # A night takes its time: what it looked for it looked for a little later.
        late = [
            timedelta() <= run.ended_at - true.ended_at < timedelta(hours=1)
            for run, true in zip(found, expected[key], strict=False)
            if run.ended_how == true.ended_how == "deleted"
        ]
        assert all(late), key
        assert [run if run.ended_how != "deleted" else replace(run, ended_at=None) for run in found] == [
            run if run.ended_how != "deleted" else replace(run, ended_at=None) for run in expected[key]
        ], key
        assert [row["is_open"] for row in held[key]] == [
            observed.category(run.state) != "closed" for run in expected[key]
        ], key
    assert all(row["is_deleted"] for key in held.keys() - expected.keys() for row in held[key])


def test_plains_states_are_the_actual_ones_and_pylons_reopenings_those_its_versions_show(loaded: Loaded) -> None:
    true = {key: loaded.tickets[key] for key in counted(loaded)}
    seen = {each.id: each for each in loaded.truth.observed([millis(poll) for poll in loaded.polls])}
    expected = {
        key: ticket.reopened if ticket.system is System.PLAIN else seen[key].reopened for key, ticket in true.items()
    }
    assert {key: row["reopenings"] for key, row in clocks(loaded).items()} == expected
    episodes = by_ticket(loaded.query("select * from fct_def_ticket_episodes order by ticket_id, episode_number"))
    for key, ticket in true.items():
        if ticket.system is System.PLAIN:
            closings = [instant(episode.resolved_at) for episode in ticket.episodes]
            openings = [instant(episode.reopened_at) for episode in ticket.episodes if episode.reopened_at]
            assert [row["closed_at"] for row in episodes[key] if row["closed_at"]] == closings, key
            assert [row["opened_at"] for row in episodes[key]] == [instant(ticket.created_at), *openings], key


def test_versions_show_pylons_state_at_their_own_stamps(loaded: Loaded) -> None:
    """The world's own account of what polls could have seen, at every stamp it has."""
    held = by_ticket(loaded.query("select * from fct_def_ticket_states order by ticket_id, run_number"))
    counts = counted(loaded)
    checked = 0
    for seen in loaded.truth.observed([millis(poll) for poll in loaded.polls]):
        if seen.system is not System.PYLON or seen.id not in counts:
            continue
        for version in seen.versions:
            at = instant(version.stamp)
            (state,) = [
                row["source_state"]
                for row in held[seen.id]
                if row["started_at"] <= at and (row["ended_at"] is None or at < row["ended_at"])
            ]
            assert state == version.status, (seen.id, at)
            checked += 1
    assert checked > 30


# ---------------------------------------------------------------- service clocks


def expected_clock(loaded: Loaded, ticket: Ticket, stopped: datetime | None, which: int) -> tuple[Any, ...]:
    """Priority, at risk, due, and whether it was in time."""
    priority = observed.priority_at(loaded, ticket, stopped)
    if priority is None:
        return None, None, None, None
    target = TARGET_HOURS[priority][which] * HOUR
    at_risk, due = (instant(business_instant(ticket.created, round(target * share))) for share in (0.75, 1))
    assert due is not None
    return priority, at_risk, due, None if stopped is None else stopped < due


@pytest.mark.parametrize(("clock", "which"), [("first_response", 0), ("resolution", 1)])
def test_clocks_are_due_by_the_priority_they_stopped_at(loaded: Loaded, clock: str, which: int) -> None:
    held = clocks(loaded)
    in_time = f"is_{clock}_in_time"
    columns = (f"{clock}_priority", f"{clock}_at_risk_at", f"{clock}_due_at", in_time)
    expected = {
        key: expected_clock(loaded, ticket, held[key][f"{clock}_at"], which) for key, ticket in counted(loaded).items()
    }
    assert {key: tuple(row[column] for column in columns) for key, row in held.items()} == expected
    assert {True, False, None} == {row[in_time] for row in held.values()}


@pytest.mark.parametrize("clock", ["first_response", "resolution"])
def test_clocks_are_the_actual_ones_where_the_priority_could_be_seen(loaded: Loaded, clock: str) -> None:
    held = clocks(loaded)
    true = {key: getattr(loaded.tickets[key], f"{clock}_sla") for key in held}
    stopped = {key: row[f"{clock}_at"] for key, row in held.items()}
    same_stop = {
        key: ticket for key, ticket in counted(loaded).items() if stopped[key] == instant(true[key].stopped_at)
    }
    seen = {
        key: ticket.system
        for key, ticket in same_stop.items()
        if observed.priority_at(loaded, ticket, stopped[key]) == true[key].priority
    }
    assert {key: held[key][f"{clock}_due_at"] for key in seen} == {key: instant(true[key].due_at) for key in seen}
    assert {*seen.values()} == {*System}
    # Plain's timeline tells every change, so nothing is hidden but what was never said: there the default is shown.
    hidden = {key for key, ticket in same_stop.items() if ticket.system is System.PLAIN} - seen.keys()
    assert all(true[key].priority is None for key in hidden)


def test_what_needs_attention_is_what_the_world_says_of_that_moment(loaded: Loaded) -> None:
    rows = {row["ticket_id"]: row for row in loaded.relation("rpt_def_needs_attention_current")}
    held = clocks(loaded)
    open_now = {key for key, row in held.items() if row["is_open"]}
    assert rows.keys() <= open_now
    told = {"running": "ok", "at_risk": "at_risk", "overdue": "breached", "met": "ok", "breached": "breached"}
    compared = 0
    for key, row in rows.items():
        true = loaded.tickets[key]
        for clock, actual in (("first_response", true.first_response_sla), ("resolution", true.resolution_sla)):
            assert row["read_at"] == loaded.at.replace(tzinfo=None)
            is_seen = held[key]["first_response_at"] == instant(true.first_response_at)
            if is_seen and row[f"{clock}_due_at"] == instant(actual.due_at):
                assert row[f"{clock}_sla_status"] == told.get(actual.outcome, actual.outcome), (key, clock)
                compared += 1
    urgent = {
        key
        for key in open_now
        if loaded.tickets[key].resolution_sla.outcome in ("overdue", "at_risk")
        and held[key]["resolution_due_at"] == instant(loaded.tickets[key].resolution_sla.due_at)
    }
    assert urgent <= rows.keys()
    assert compared


# ---------------------------------------------------------------- backlog


def some(days: Iterable[date], loaded: Loaded) -> Iterator[date]:
    """Every day of a tiny world, and a few of a larger one: the world looks at every ticket anew for each."""
    yield from islice(days, 0, None, 1 if loaded.size == "tiny" else 60)


def backlog(loaded: Loaded, system: System) -> dict[date, int]:
    """Tickets open at the end of each day, without those deleted since."""
    held = loaded.query(
        "select metric_date, sum(tickets_open - tickets_open_deleted_since) as open"
        f" from agg_def_backlog_channel_daily where support_system = '{system}' group by metric_date"
    )
    return {row["metric_date"]: int(row["open"]) for row in held}


@pytest.mark.parametrize("system", System)
def test_the_backlog_is_what_could_be_seen_at_the_end_of_every_day(loaded: Loaded, system: System) -> None:
    found = backlog(loaded, system)
    seen = [observed.runs(loaded, ticket) for ticket in counted(loaded).values() if ticket.system is system]
    expected = observed.open_at_the_end_of_days(loaded, seen)
    assert {day: found.get(day, 0) for day in expected} == expected
    assert any(found.values())


def test_plains_backlog_is_the_actual_one(loaded: Loaded) -> None:
    found = backlog(loaded, System.PLAIN)
    restored = [each for each in counted(loaded).values() if each.system is System.PLAIN and each.back_at]
    seen = observed.open_at_the_end_of_days(loaded, [observed.runs(loaded, ticket) for ticket in restored])
    for day in some(seen, loaded):
        # When a thread was away is known to the hour only, and not at all before Plain kept a log.
        end = local_midnight(day + timedelta(days=1)) - 1
        actual = sum(loaded.truth.ticket(each, end).is_open for each in restored if each.born <= end)
        assert found.get(day, 0) - seen[day] == loaded.truth.backlog(day, millis(loaded.at))["plain"] - actual, day


def test_pylons_backlog_is_at_most_what_polls_could_not_exclude(loaded: Loaded) -> None:
    """The polls alone knew less: a closed version also tells since when it is closed."""
    found = backlog(loaded, System.PYLON)
    for day in some(found, loaded):
        polled = loaded.truth.observed_backlog(day, [millis(poll) for poll in loaded.polls])["pylon"]
        assert found[day] <= polled["open"] + polled["unknown"], day


def test_a_deletion_taken_back_is_counted_on_the_day_it_was_seen_and_on_the_day_it_was_back(loaded: Loaded) -> None:
    expected: Counter[tuple[str, str, date]] = Counter()
    for ticket in counted(loaded).values():
        seen = observed.runs(loaded, ticket)
        for run, after in pairwise(seen):
            if run.ended_how == "deleted" and observed.category(run.state) != "closed":
                assert run.ended_at is not None
                expected["deleted", ticket.system, local_day(run.ended_at)] += 1
                expected["undeleted", ticket.system, local_day(after.started_at)] += 1
    for row in loaded.query(
        "select * from fct_def_ticket_states where is_deleted and is_open and ended_how = 'deleted'"
    ):
        expected["deleted", row["support_system"], row["ended_date"]] += 1
    held: Counter[tuple[str, str, date]] = Counter()
    for row in loaded.relation("agg_def_backlog_channel_daily"):
        for flow in ("deleted", "undeleted"):
            held[flow, row["support_system"], row["metric_date"]] += row[f"tickets_{flow}"]
    assert +held == expected


def test_movements_explain_the_backlog_and_are_those_of_tickets_and_episodes(loaded: Loaded) -> None:
    rows = loaded.relation("agg_def_backlog_channel_daily")
    stock: dict[tuple[str, str], int] = defaultdict(int)
    for row in sorted(rows, key=lambda row: row["metric_date"]):
        grain = row["support_system"], row["channel"]
        came = row["tickets_created"] + row["tickets_reopened"] + row["tickets_undeleted"]
        moved = came - row["tickets_closed"] - row["tickets_deleted"]
        assert row["tickets_open"] == stock[grain] + moved, row
        stock[grain] = row["tickets_open"]
    created: Counter[tuple[str, str, date]] = Counter()
    for row in loaded.query("select support_system, channel, created_date from fct_def_tickets"):
        created[row["support_system"], row["channel"], row["created_date"]] += 1
    for row in loaded.query("select * from fct_def_ticket_states where is_deleted and run_number = 1"):
        created[row["support_system"], row["channel"], row["started_date"]] += 1
    assert created == Counter(
        {
            (row["support_system"], row["channel"], row["metric_date"]): row["tickets_created"]
            for row in rows
            if row["tickets_created"]
        }
    )


# ---------------------------------------------------------------- sums


def test_daily_sums_are_those_of_what_happened_on_the_day(loaded: Loaded) -> None:
    channel = {row["ticket_id"]: row["channel"] for row in loaded.query("select * from fct_def_tickets")}
    responses: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    resolutions: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for key, ticket in counted(loaded).items():
        messages, created = observed.said(loaded, ticket), instant(ticket.created)
        answered, resolved = observed.first(messages, Role.AGENT), instant(loaded.tickets[key].resolved_at)
        if answered is not None:
            in_time = expected_clock(loaded, ticket, answered, 0)[3]
            responses[local_day(answered), ticket.system.value, channel[key]] += Counter(
                first_responses=1,
                first_response_business_seconds_sum=seconds(created, answered)[1],
                first_response_sla_eligible=in_time is not None,
                first_response_sla_met=in_time is True,
                first_response_sla_no_target=in_time is None,
            )
        for wait in observed.waits(messages):
            if wait.answered_at is not None:
                responses[local_day(wait.answered_at), ticket.system.value, channel[key]] += Counter(
                    customer_waits_answered=1,
                    customer_wait_business_seconds_sum=seconds(wait.started_at, wait.answered_at)[1],
                )
        if resolved is not None:
            in_time = expected_clock(loaded, ticket, resolved, 1)[3]
            resolutions[local_day(resolved), ticket.system.value, channel[key]] += Counter(
                tickets_resolved=1,
                resolution_business_seconds_sum=seconds(created, resolved)[1],
                resolution_sla_eligible=in_time is not None,
                resolution_sla_met=in_time is True,
                resolution_sla_no_target=in_time is None,
            )
    for model, expected in (
        ("agg_def_response_channel_daily", responses),
        ("agg_def_resolution_channel_daily", resolutions),
    ):
        measures = sorted({name for sums in expected.values() for name in sums})
        summed = ", ".join(f"sum({name}) as {name}" for name in measures)
        held = loaded.query(f"select metric_date, support_system, channel, {summed} from {model} group by all")
        assert {
            (row["metric_date"], row["support_system"], row["channel"]): +Counter({n: int(row[n]) for n in measures})
            for row in held
            if any(row[name] for name in measures)
        } == {grain: +sums for grain, sums in expected.items()}


def test_answers_are_credited_to_the_employees_who_wrote_them(loaded: Loaded) -> None:
    held = loaded.query(
        "select eid, sum(customer_waits_answered) as written from agg_def_agent_response_channel_daily group by eid"
    )
    expected = loaded.query(
        "select dim.eid, count(*) as written from fct_def_replies as replies"
        " inner join DEF_DB_LOCAL.SILVER.def_pylon_users as users on replies.responder_id = users.id"
        " inner join dim_employee_def as dim on lower(users.email) = dim.email and dim.is_email_owner"
        " where dim.is_support_agent group by dim.eid"
        " union all"
        " select dim.eid, count(*) as written from fct_def_replies as replies"
        " inner join DEF_DB_LOCAL.SILVER.def_plain_users as users on replies.responder_id = users.id"
        " inner join dim_employee_def as dim on lower(users.email) = dim.email and dim.is_email_owner"
        " where dim.is_support_agent group by dim.eid"
    )
    total: Counter[str] = Counter()
    for row in expected:
        total[row["eid"]] += row["written"]
    assert {row["eid"]: row["written"] for row in held if row["written"]} == total
    assert total


# ---------------------------------------------------------------- the vendors' own figures


def test_every_difference_to_the_vendors_figures_has_a_reason(loaded: Loaded) -> None:
    rows = loaded.relation("rpt_def_vendor_parity_current")
    reasons = Counter(row["reason"] for row in rows)
    assert len(rows) == 2 * len(counted(loaded))
    assert not [row for row in rows if row["reason"] == "unexplained"]
    assert reasons["same"] > 0.5 * len(rows)
    assert reasons["bot"]
    for row in rows:
        if row["figure"] == "first_response" and row["reason"] == "bot":
            assert instant(loaded.tickets[row["ticket_id"]].first_reply_at) == row["reported_at"]


# ---------------------------------------------------------------- reports over them


def start_of(period: str, day: date) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    month = day.month if period == "month" else 3 * ((day.month - 1) // 3) + 1
    return day.replace(month=month, day=1)


@pytest.mark.parametrize(("report", "period"), [("wow", "week"), ("mom", "month"), ("qoq", "quarter")])
def test_rates_of_a_period_are_its_sums_divided_and_compared_with_the_period_before(
    loaded: Loaded, report: str, period: str
) -> None:
    sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for model in ("agg_def_response_channel_daily", "agg_def_resolution_channel_daily"):
        for row in loaded.relation(model):
            grain = start_of(period, row["metric_date"]), row["support_system"], row["channel"]
            sums[grain] += Counter({name: value for name, value in row.items() if isinstance(value, int)})
    made_of = {
        "avg_first_response_business_hours": ("first_response_business_seconds_sum", "first_responses", 1 / 3600),
        "avg_resolution_business_hours": ("resolution_business_seconds_sum", "tickets_resolved", 1 / 3600),
        "first_response_sla_pct": ("first_response_sla_met", "first_response_sla_eligible", 100),
        "resolution_sla_pct": ("resolution_sla_met", "resolution_sla_eligible", 100),
        "fcr_pct": ("fcr_met", "fcr_eligible", 100),
    }
    rows = {
        (row["period_start"], row["support_system"], row["channel"]): row
        for row in loaded.relation(f"rpt_def_performance_{report}")
    }
    assert sums.keys() <= rows.keys()
    starts = sorted({start for start, *_ in rows})
    assert len(rows) == len(starts) * len({grain[1:] for grain in rows})
    for (start, *channel), row in rows.items():
        made = sums[start, *channel]
        for name, (numerator, denominator, factor) in made_of.items():
            expected = made[numerator] * factor / made[denominator] if made[denominator] else None
            assert row[name] == (None if expected is None else pytest.approx(expected)), (start, channel, name)
            before = rows[starts[starts.index(start) - 1], *channel][name] if start != starts[0] else None
            assert row[f"previous_{name}"] == before
            change = None if expected is None or before is None else pytest.approx(expected - before)
            assert row[f"{name}_change"] == change
