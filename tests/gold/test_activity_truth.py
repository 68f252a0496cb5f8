"""Daily counts against the world's, and against each other."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.gold.recording import Recording
from tests.gold.test_tickets_truth import channel, unheard_of
from tests.gold.world import Built, Loaded, local_day

pytestmark = pytest.mark.integration


def test_tickets_per_day_channel_and_system_are_the_worlds(loaded: Loaded) -> None:
    silent = unheard_of(loaded) & {row["ticket_id"] for row in loaded.relation("fct_def_tickets")}
    true: Counter[tuple[object, ...]] = Counter()
    for ticket in loaded.tickets.values():
        is_one = ticket.gone_at is None and not ticket.is_spam and ticket.merged_into is None
        if (is_one and ticket.logical_id == ticket.id) or ticket.id in silent:
            true[local_day(ticket.created_at), ticket.system.value, channel(ticket)] += 1
    found = loaded.query("""
        select metric_date, support_system, channel, sum(tickets_created) as tickets
        from agg_def_ticket_activity_channel_daily group by all having tickets > 0
    """)
    assert {(row["metric_date"], row["support_system"], row["channel"]): row["tickets"] for row in found} == true


def test_the_sum_over_channels_is_a_direct_recount(loaded: Loaded) -> None:
    (summed,) = loaded.query("""
        select sum(tickets_created) as created, sum(tickets_resolved) as resolved, sum(messages_created) as messages,
            sum(notes_created) as notes, sum(resolution_calendar_seconds_sum) as seconds
        from agg_def_ticket_activity_channel_daily
    """)
    (counted,) = loaded.query("""
        select
            (select count(*) from fct_def_tickets) as created,
            (select count(*) from fct_def_tickets where is_resolved) as resolved,
            (select count(*) from fct_def_messages where not is_private) as messages,
            (select count(*) from fct_def_messages where is_private) as notes,
            (select sum(resolution_calendar_seconds) from fct_def_tickets) as seconds
    """)
    assert summed == counted


@pytest.mark.parametrize("mart", ["fct_support_tickets_daily", "fct_customer_enablement_daily"])
def test_the_old_names_count_what_the_new_ones_do(loaded: Loaded, mart: str) -> None:
    totals = "sum(tickets_created) as tickets, sum(messages_created) as messages"
    old = loaded.query(f"select metric_date, {totals} from {mart} group by all order by all")
    new = loaded.query(
        f"select metric_date, {totals} from agg_def_ticket_activity_channel_daily group by all order by all"
    )
    assert old == new
    assert sum(row["tickets"] for row in old) == len(loaded.relation("fct_def_tickets"))


def test_the_old_names_keep_their_types(loaded: Loaded) -> None:
    columns = ("metric_date", "customer_id", "tickets_created", "messages_created", "avg_ticket_resolution_days")
    types = ", ".join(f"typeof({column}) as {column}" for column in columns)
    (found,) = loaded.query(f"select distinct {types} from fct_support_tickets_daily")
    assert tuple(found.values()) == ("DATE", "VARCHAR", "BIGINT", "BIGINT", "DOUBLE")


def test_averages_are_the_sums_recomputed(loaded: Loaded) -> None:
    rows = loaded.relation("rpt_def_support_tickets_daily")
    assert {row["avg_ticket_resolution_days"] is None for row in rows} == {True, False}
    for row in rows:
        count, seconds = row["resolution_calendar_seconds_count"], row["resolution_calendar_seconds_sum"]
        assert row["avg_ticket_resolution_days"] == (pytest.approx(seconds / 86_400 / count) if count else None)


def test_the_old_names_outlive_a_changed_type(built: Built, recording: Recording) -> None:
    """A view that stored what its columns were would fail to bind when the type below it is another one."""
    table, old = "agg_def_ticket_activity_channel_daily", "fct_support_tickets_daily"
    with recording.replay(built.warehouse) as connection:
        before = connection.execute(f"select sum(tickets_created) from {old}").fetchall()
        connection.execute(f"alter table {table} alter column tickets_created type decimal(20, 2)")
        assert connection.execute(f"select sum(tickets_created) from {old}").fetchall() == before
