"""What must be true of any world: nothing lost between aggregates and reports, and every number leads back to a reply."""

from __future__ import annotations

import duckdb
import pytest

from tests.gold.world import Built, Loaded

pytestmark = pytest.mark.integration

# A tiny world may have no quality review at all. That it has none is held against the world in test_quality_truth.
MAY_BE_EMPTY = {"agg_def_qa_channel_daily", "qa_avg"}

AGENT_CHANNEL = {
    "agg_def_agent_activity_channel_daily": "channel",
    "agg_def_agent_response_channel_daily": "channel",
    "agg_def_csat_channel_daily": "interaction_type",
    "agg_def_qa_channel_daily": "channel_formatted",
}
ACCOUNT_CHANNEL = {
    "agg_def_ticket_activity_channel_daily": "channel",
    "agg_def_response_channel_daily": "channel",
    "agg_def_resolution_channel_daily": "channel",
    "agg_def_csat_channel_daily": "interaction_type",
    "agg_def_qa_channel_daily": "channel_formatted",
}


@pytest.mark.parametrize(
    ("report", "grain", "contributors"),
    [
        ("rpt_def_agent_performance_channel_daily", "eid, ", AGENT_CHANNEL),
        ("rpt_def_account_performance_channel_daily", "", ACCOUNT_CHANNEL),
    ],
)
def test_a_report_has_every_point_that_any_of_its_aggregates_has_and_no_other(
    loaded: Loaded, report: str, grain: str, contributors: dict[str, str]
) -> None:
    parts = " union ".join(
        f"select metric_date, {grain}support_system, {channel} as channel from {aggregate}"
        + (" where is_support_agent" if grain and "csat" in aggregate else "")
        for aggregate, channel in contributors.items()
    )
    expected = loaded.query(f"select * from ({parts}) order by all")
    assert loaded.query(f"select metric_date, {grain}support_system, channel from {report} order by all") == expected
    alone = [
        loaded.query(f"select count(*) as n from ({parts.replace(' union ', ' union all ')})")[0]["n"],
        len(expected),
    ]
    assert alone[0] > alone[1] > 20  # they overlap, and not all of them have every point


@pytest.mark.parametrize(
    ("report", "aggregate", "measure", "where"),
    [
        (
            "rpt_def_account_performance_channel_daily",
            "agg_def_ticket_activity_channel_daily",
            "tickets_created",
            "true",
        ),
        ("rpt_def_account_performance_channel_daily", "agg_def_csat_channel_daily", "csat_score_sum", "true"),
        ("rpt_def_account_performance_channel_daily", "agg_def_qa_channel_daily", "qa_score_sum", "true"),
        ("rpt_def_account_performance_channel_daily", "agg_def_resolution_channel_daily", "fcr_met", "true"),
        ("rpt_def_agent_performance_channel_daily", "agg_def_agent_activity_channel_daily", "replies_sent", "true"),
        ("rpt_def_agent_performance_channel_daily", "agg_def_csat_channel_daily", "csat_answers", "is_support_agent"),
        ("rpt_def_agent_productivity_daily", "agg_def_agent_activity_channel_daily", "replies_sent", "true"),
        ("rpt_def_agent_productivity_daily", "agg_def_agent_time_daily", "active_seconds", "true"),
        ("rpt_def_accounts_daily", "agg_def_ticket_activity_channel_daily", "messages_created", "true"),
        ("rpt_def_accounts_daily", "agg_def_csat_channel_daily", "csat_score_sum", "true"),
        ("rpt_def_categories_daily", "agg_def_ticket_category_channel_daily", "tickets_resolved", "true"),
        ("rpt_def_volume_wow", "agg_def_ticket_activity_channel_daily", "tickets_created", "true"),
        ("rpt_def_volume_mom", "agg_def_ticket_activity_channel_daily", "tickets_resolved", "true"),
        ("rpt_def_volume_qoq", "agg_def_ticket_activity_channel_daily", "messages_created", "true"),
        ("rpt_def_csat_daily", "agg_def_csat_channel_daily", "csat_score_sum", "true"),
    ],
)
def test_a_joined_report_adds_up_to_its_aggregate(
    loaded: Loaded, report: str, aggregate: str, measure: str, where: str
) -> None:
    (row,) = loaded.query(f"""
        select (select sum({measure}) from {report}) as shown,
               (select sum({measure}) from {aggregate} where {where}) as held
    """)
    if row["held"] is None and aggregate in MAY_BE_EMPTY:
        assert not row["shown"]
        return
    assert row["shown"] == row["held"]
    assert row["held"] > 0


@pytest.mark.parametrize(
    ("report", "rate", "numerator", "denominator", "factor"),
    [
        ("rpt_def_account_performance_channel_daily", "csat_avg", "csat_score_sum", "csat_answers", 1),
        ("rpt_def_account_performance_channel_daily", "qa_avg", "qa_score_sum", "qa_max_score_sum", 100),
        ("rpt_def_account_performance_channel_daily", "fcr_pct", "fcr_met", "fcr_eligible", 100),
        (
            *("rpt_def_account_performance_channel_daily", "asa_sec", "first_response_business_seconds_sum"),
            *("first_responses", 1),
        ),
        (
            *("rpt_def_account_performance_channel_daily", "first_response_sla_pct", "first_response_sla_met"),
            *("first_response_sla_eligible", 100),
        ),
        ("rpt_def_agent_productivity_daily", "acw_pct", "after_contact_work_seconds", "active_seconds", 100),
        ("rpt_def_agent_productivity_daily", "replies_per_hour", "replies_sent", "active_seconds", 3600),
        ("rpt_def_csat_channel_daily", "csat_avg", "csat_score_sum", "csat_answers", 1),
        (
            *("rpt_def_categories_daily", "self_servable_pct", "self_servable_tickets_resolved"),
            *("tickets_resolved", 100),
        ),
    ],
)
def test_a_rate_is_the_sums_recomputed_and_absent_without_a_denominator(
    loaded: Loaded, report: str, rate: str, numerator: str, denominator: str, factor: int
) -> None:
    rows = loaded.query(f"select {rate} as rate, {numerator} as over, {denominator} as under from {report}")
    assert any(row["rate"] for row in rows) or (rate in MAY_BE_EMPTY and not any(row["under"] for row in rows))
    for row in rows:
        if row["under"]:
            assert row["rate"] == pytest.approx(float(row["over"]) * factor / float(row["under"]))
        else:
            assert row["rate"] is None


def test_a_number_leads_back_to_the_batches_and_pages_it_is_made_of(built: Built) -> None:
    (day,) = built.query(
        "select created_date as d, count(*) as n from fct_def_tickets group by all order by n desc limit 1"
    )
    inline = f"{{{{ lineage_of('fct_def_tickets', \"created_date = date '{day['d']}'\") }}}}"
    outcome = built.dbt("show", "--inline", inline, "--output", "json", "--limit", "500")
    table = outcome.result.results[0].agate_table
    rows = [dict(zip(table.column_names, row.values(), strict=True)) for row in table.rows]
    assert sum(row["rows_from_it"] for row in rows) == day["n"]
    batches = {row["batch_id"] for row in built.query("select BATCH_ID as batch_id from BRONZE.INGEST_BATCHES")}
    bronze = built.query("""
        select BATCH_ID as batch_id, SOURCE_FILE as source_file from BRONZE.PYLON_ISSUES
        union select BATCH_ID, SOURCE_FILE from BRONZE.PLAIN_THREADS
    """)
    pages = {(row["batch_id"], row["source_file"]) for row in bronze}
    assert {row["batch_id"] for row in rows} <= batches
    assert {(row["batch_id"], row["source_file"]) for row in rows} <= pages
    assert all("#page=" in row["source_file"] for row in rows)


def test_what_no_model_makes_is_found(built: Built) -> None:
    assert "stale" not in stale_relations(built)
    left_behind = "GOLD.exp_def_of_last_year"
    with duckdb.connect(str(built.warehouse / "DEF_DB_LOCAL.duckdb")) as connection:
        connection.execute(f"create view {left_behind} as select 1 as x")
    try:
        assert f"stale: DEF_DB_LOCAL.{left_behind} is made by no model" in stale_relations(built)
    finally:
        with duckdb.connect(str(built.warehouse / "DEF_DB_LOCAL.duckdb")) as connection:
            connection.execute(f"drop view {left_behind}")


def stale_relations(built: Built) -> str:
    return built.dbt("run-operation", "stale_relations").said()
