"""Every rule catches what it is there for, and says nothing about a house in order."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lint import manifest_rules
from lint.manifest_rules import RULES
from tests.lint.manifests import PROJECT, check, house, keep_from_null, macro, model, ref

Manifest = dict[str, Any]


def node(manifest: Manifest, name: str) -> dict[str, Any]:
    return manifest["nodes"][ref(name)]


def drop_test(manifest: Manifest, name: str) -> None:
    del manifest["nodes"][f"test.{PROJECT}.{name}"]


def put(manifest: Manifest, new: dict[str, Any]) -> None:
    manifest["nodes"][new["unique_id"]] = new


def agg_calls(manifest: Manifest, name: str, sql: str) -> None:
    """Let the aggregate reach this macro through another one, as its body does."""
    manifest["macros"].update(
        {each["unique_id"]: each for each in [macro("body", "{{ x() }}", (name,)), macro(name, sql)]}
    )
    node(manifest, "agg_def_tickets_channel_daily")["depends_on"]["macros"] = [f"macro.{PROJECT}.body"]


def source(manifest: Manifest) -> dict[str, Any]:
    return manifest["sources"][f"source.{PROJECT}.def_bronze.PYLON_ISSUES"]


def set_in(target: dict[str, Any], **values: Any) -> None:
    target.update(values)


FCT, AGG, RPT, SILVER = "fct_def_tickets", "agg_def_tickets_channel_daily", "rpt_def_tickets_daily", "def_pylon_issues"

REPORT_OVER_TWO = "with spine as (\n{}\n)\nselect * from spine"


def report_over_two(manifest: Manifest, spine: str) -> None:
    put(manifest, model("agg_def_csat_channel_daily", "gold", "table", (ref(FCT),)))
    node(manifest, RPT)["depends_on"]["nodes"].append(ref("agg_def_csat_channel_daily"))
    set_in(node(manifest, RPT), raw_code=REPORT_OVER_TWO.format(spine))


def dashboard_reads_an_old_name(manifest: Manifest) -> None:
    passes_through = f"select * from {{{{ ref('{RPT}') }}}}"
    put(manifest, model("rpt_def_old_daily", "gold", "view", (ref(RPT),), raw_code=passes_through))
    manifest["exposures"][f"exposure.{PROJECT}.backlog"]["depends_on"]["nodes"].append(ref("rpt_def_old_daily"))


def fact_is_a_copy(manifest: Manifest) -> None:
    node(manifest, FCT)["depends_on"]["nodes"] = [ref(SILVER)]
    set_in(node(manifest, FCT), columns={name: {"name": name, "meta": {}} for name in ("ticket_key", "state")})


# rule, how to break it, what the finding says
VIOLATIONS: list[tuple[str, Callable[[Manifest], object], str]] = [
    ("layer_is_known", lambda m: put(m, model("mart_tickets", "gold", "table")), "mart_tickets models/def/gold"),
    ("layer_is_known", lambda m: put(m, model("fct_def_x", "silver_old", "table")), "is in no layer"),
    ("names_tell_the_grain", lambda m: set_in(node(m, AGG), name="agg_def_tickets"), "does not match agg_def_"),
    (
        "names_tell_the_grain",
        lambda m: set_in(node(m, RPT), name="rpt_def_tickets"),
        "does not match rpt_(def|master)_",
    ),
    ("names_tell_the_grain", lambda m: set_in(node(m, FCT), name="fct_tickets"), "does not match fct_def_"),
    ("names_tell_the_grain", lambda m: set_in(node(m, SILVER), name="pylon_issues"), "does not match def_"),
    (
        "built_as_its_layer_says",
        lambda m: set_in(node(m, RPT)["config"], materialized="table"),
        "is table, rpt is view",
    ),
    ("built_as_its_layer_says", lambda m: set_in(node(m, FCT)["config"], materialized="view"), "is view, fct is table"),
    ("built_where_its_layer_says", lambda m: set_in(node(m, FCT), schema="SILVER"), "in schema SILVER, not in GOLD"),
    ("built_where_its_layer_says", lambda m: set_in(node(m, FCT), database="CORE_DB_LOCAL"), "not in DEF_DB_{ENV}"),
    ("bronze_is_loaded_not_built", lambda m: set_in(node(m, SILVER), schema="BRONZE"), "belongs to the loader"),
    (
        "silver_has_the_canonical_config",
        lambda m: set_in(node(m, SILVER)["config"], incremental_strategy="append"),
        "incremental_strategy is 'append'",
    ),
    (
        "silver_has_the_canonical_config",
        lambda m: set_in(node(m, SILVER)["config"], unique_key="id"),
        "unique_key is 'id'",
    ),
    (
        "silver_has_the_canonical_config",
        lambda m: set_in(node(m, SILVER)["config"], on_schema_change="ignore"),
        "on_schema_change is 'ignore'",
    ),
    *(
        (
            "silver_only_types_and_cleans",
            lambda m, sql=sql: set_in(node(m, SILVER), raw_code=f"{{{{ config(x=1) }}}}\nselect * from a {sql} b"),
            f"uses {sql.lower()}",
        )
        for sql in ("JOIN", "where", "group by", "union", "limit")
    ),
    (
        "reports_over_several_aggregates_have_a_spine",
        lambda m: report_over_two(m, "select day from a"),
        "without a spine",
    ),
    (
        "reports_over_several_aggregates_have_a_spine",
        lambda m: report_over_two(m, "select day from a\nunion  all\nselect day from b"),
        "builds its spine with union all",
    ),
    *(
        (
            "engines_differ_in_one_folder",
            lambda m, sql=sql: set_in(node(m, FCT), raw_code=f"select {sql} from x"),
            "give it a macro in macros/engine",
        )
        for sql in (
            "a::date",
            "TRY_CAST (a as date)",
            "iff(a, b, c)",
            "datediff('day', a, b)",
            "json_extract_string(a)",
        )
    ),
    (
        "engines_differ_in_one_folder",
        lambda m: agg_calls(m, "elsewhere", "unnest(a)"),
        "elsewhere uses unnest( itself",
    ),
    (
        "macros_write_keywords_in_lower_case",
        lambda m: agg_calls(m, "loud", "SELECT 1"),
        "loud writes SELECT in capitals",
    ),
    (
        "models_end_in_one_select",
        lambda m: set_in(node(m, FCT), raw_code="with a as (select 1) select id from a"),
        "fct_def_tickets does not end in",
    ),
    (
        "silver_holds_no_business_columns",
        lambda m: set_in(node(m, SILVER)["columns"], TENURE_BUCKET={}),
        "column tenure_bucket is a business attribute",
    ),
    (
        "silver_tests_stop_the_build",
        lambda m: put(m, check("not_null", SILVER, "state", severity="WARN")),
        "not_null on state only warns",
    ),
    (
        "silver_tests_stop_the_build",
        lambda m: put(m, check("no_garbage_anywhere", SILVER, "", severity="WARN")),
        "no_garbage_anywhere on its rows only warns",
    ),
    (
        "layers_read_what_they_may",
        lambda m: node(m, SILVER)["depends_on"]["nodes"].append(ref(FCT)),
        "def_pylon_issues reads fct fct_def_tickets; silver may read source",
    ),
    (
        "layers_read_what_they_may",
        lambda m: node(m, FCT)["depends_on"]["nodes"].append(f"source.{PROJECT}.def_bronze.PYLON_ISSUES"),
        "fct_def_tickets reads source PYLON_ISSUES",
    ),
    (
        "layers_read_what_they_may",
        lambda m: node(m, AGG)["depends_on"]["nodes"].append(ref(SILVER)),
        "reads silver def_pylon_issues; agg may read fct",
    ),
    (
        "layers_read_what_they_may",
        lambda m: node(m, RPT)["depends_on"]["nodes"].append(ref(FCT)),
        "reads fct fct_def_tickets; rpt may read agg, dim",
    ),
    (
        "layers_read_what_they_may",
        lambda m: node(m, "exp_def_tickets_by_hour")["depends_on"]["nodes"].append(ref(FCT)),
        "exp_def_tickets_by_hour reads fct",
    ),
    (
        "layers_read_what_they_may",
        lambda m: put(m, model("rpt_def_copy_daily", "gold", "view", (ref(RPT),), raw_code="select id from x")),
        "rpt_def_copy_daily reads rpt",
    ),
    (
        "built_tables_are_refs",
        lambda m: set_in(source(m), schema="SILVER", identifier="def_pylon_issues"),
        "declared as a source and built by a model",
    ),
    ("sources_are_bronze", lambda m: set_in(source(m), source_name="pylon"), "sources are called {client}_bronze"),
    ("sources_are_bronze", lambda m: set_in(source(m), identifier="issues"), "issues is not {SOURCE}_{OBJECT}"),
    (
        "sources_are_bronze",
        lambda m: set_in(source(m)["config"]["meta"], load_strategy="truncate_insert"),
        "meta.load_strategy is 'truncate_insert'",
    ),
    ("sources_are_bronze", lambda m: source(m)["config"]["meta"].pop("input_kind"), "meta.input_kind is None"),
    (
        "intermediate_logic_is_shared",
        lambda m: set_in(node(m, "fct_def_exclusions")["depends_on"], nodes=[]),
        "int_def_tickets has 1 consumer(s)",
    ),
    (
        "facts_state_their_category",
        lambda m: node(m, FCT)["config"]["meta"].update(source_category=4),
        "meta.source_category is 4",
    ),
    ("facts_state_their_category", lambda m: node(m, FCT)["config"].update(meta={}), "meta.join_key is missing"),
    (
        "facts_state_their_category",
        lambda m: set_in(node(m, FCT), raw_code="select 1 -- source_category: 1"),
        "the comment at the top does not state source_category:",
    ),
    (
        "streams_are_watched",
        lambda m: set_in(source(m), freshness=None),
        "def_bronze.PYLON_ISSUES declares no freshness",
    ),
    (
        "streams_are_watched",
        lambda m: set_in(source(m), freshness={"warn_after": None, "error_after": None}),
        "declares no freshness",
    ),
    (
        "streams_say_what_a_row_is",
        lambda m: source(m)["columns"].pop("BATCH_ID"),
        "def_bronze.PYLON_ISSUES lacks BATCH_ID",
    ),
    (
        "streams_say_what_a_row_is",
        lambda m: source(m)["config"]["meta"].pop("record_key"),
        "is a record set without meta.record_key",
    ),
    (
        "streams_say_what_a_row_is",
        lambda m: source(m)["config"]["meta"].pop("is_append_only"),
        "meta.is_append_only is neither",
    ),
    (
        "silver_groups_its_columns",
        lambda m: set_in(node(m, SILVER)["columns"], **{f"c{n}": {} for n in range(12)}),
        "has 14 columns and no groups of them",
    ),
    (
        "no_text_is_kept_twice",
        lambda m: set_in(
            node(m, "fct_def_exclusions"), raw_code=node(m, FCT)["raw_code"].replace("from x", "FROM  x -- new")
        ),
        "fct_def_exclusions is the text of fct_def_tickets again",
    ),
    (
        "roster_is_joined_as_the_category_says",
        lambda m: set_in(node(m, FCT), raw_code=node(m, FCT)["raw_code"] + " inner  join employees using (eid)"),
        "loses the rows of unknown agents: inner join employees",
    ),
    (
        "roster_is_joined_as_the_category_says",
        lambda m: node(m, FCT)["config"]["meta"].update(source_category=3),
        "does not join the roster inner",
    ),
    ("unknown_agents_are_seen", lambda m: set_in(node(m, FCT)["columns"], eid={}), "does not test eid for NULL"),
    (
        "grains_are_never_null",
        lambda m: set_in(node(m, AGG)["columns"], channel={}),
        "agg_def_tickets_channel_daily lets channel be NULL",
    ),
    (
        "grains_are_never_null",
        lambda m: set_in(node(m, RPT)["columns"], metric_date={}),
        "rpt_def_tickets_daily lets metric_date be NULL",
    ),
    (
        "lists_are_tested",
        lambda m: drop_test(m, f"relationships_{FCT}_channel"),
        "fct_def_tickets does not test channel against its list",
    ),
    ("lists_are_tested", lambda m: set_in(node(m, FCT)["columns"], priority={}), "does not test priority"),
    (
        "dimensions_hold_no_sums",
        lambda m: set_in(node(m, "dim_calendar_def")["columns"], tickets_created={"data_type": "bigint"}),
        "column tickets_created reads like a sum",
    ),
    (
        "productivity_is_apart_from_performance",
        lambda m: put(m, model("rpt_def_agent_productivity_daily", "gold", "view", (ref(AGG),))),
        "stands without rpt_def_agent_performance_channel_daily",
    ),
    (
        "productivity_is_apart_from_performance",
        lambda m: put(m, model("rpt_def_agent_performance_channel_daily", "gold", "view", (ref(AGG),))),
        "stands without rpt_def_agent_productivity_daily",
    ),
    (
        "productivity_is_apart_from_performance",
        lambda m: put(m, model("rpt_def_agent_productivity_daily", "gold", "view", (ref(AGG),), ("channel",))),
        "has a channel, over which",
    ),
    (
        "exposures_name_their_tool",
        lambda m: set_in(m["exposures"][f"exposure.{PROJECT}.backlog"], config={"meta": {}}),
        "backlog meta.tool is missing",
    ),
    (
        "measures_say_how_they_add_up",
        lambda m: set_in(
            node(m, RPT)["columns"],
            seconds_agent_day={"data_type": "bigint", "config": {"meta": {"additivity": "additive"}}},
        ),
        "column seconds_agent_day repeats on every channel",
    ),
    ("labels_are_joined_late", lambda m: set_in(node(m, FCT)["columns"], team={}), "column team is a label"),
    (
        "labels_are_joined_late",
        lambda m: set_in(node(m, AGG)["columns"], agent_name={}),
        "column agent_name is a label",
    ),
    ("sla_status_is_computed_when_read", lambda m: set_in(node(m, AGG)["columns"], sla_status={}), "stores sla_status"),
    (
        "aggregates_keep_the_channel",
        lambda m: node(m, AGG)["columns"].pop("channel"),
        "drops the channel of fct_def_tickets",
    ),
    (
        "aggregates_hold_sums_and_counts",
        lambda m: set_in(node(m, AGG), raw_code="select AVG (seconds) where is_support_agent"),
        "uses avg()",
    ),
    (
        "aggregates_hold_sums_and_counts",
        lambda m: agg_calls(m, "spread", "percentile_cont(0.9)"),
        "uses percentile_cont()",
    ),
    (
        "aggregates_hold_sums_and_counts",
        lambda m: set_in(node(m, AGG)["columns"], reply_rate={}),
        "column reply_rate reads like an average or a rate",
    ),
    (
        "measures_say_how_they_add_up",
        lambda m: set_in(node(m, AGG)["columns"], tickets={"data_type": "bigint"}),
        "column tickets: meta.additivity is ''",
    ),
    (
        "measures_say_how_they_add_up",
        lambda m: set_in(
            node(m, RPT)["columns"],
            csat_avg={"data_type": "double", "config": {"meta": {"additivity": "additive"}}},
        ),
        "column csat_avg reads like a rate and is called additive",
    ),
    (
        "agents_reports_by_channel_hold_sums",
        lambda m: set_in(node(m, RPT)["columns"], eid={}, csat_avg={}),
        "column csat_avg is a rate",
    ),
    (
        "clients_have_the_same_columns",
        lambda m: put(
            m,
            model("agg_abc_tickets_channel_daily", "gold", "table", (ref(FCT),), ("channel",))
            | {"original_file_path": "models/abc/gold/agg_abc_tickets_channel_daily.sql"},
        ),
        "has other columns than agg_def_tickets_channel_daily: resolution_seconds_sum, ticket_day_key, tickets",
    ),
    ("aggregates_are_daily", lambda m: agg_calls(m, "week", "date_trunc('week', d)"), "truncates to the week"),
    (
        "aggregates_filter_agents_or_say_why_not",
        lambda m: set_in(node(m, AGG), raw_code="with n as (select count(*) from t) select * from n"),
        "does not filter is_support_agent",
    ),
    (
        "aggregates_filter_agents_or_say_why_not",
        lambda m: (
            set_in(node(m, AGG), raw_code="with n as (select count(*) from t) select * from n"),
            node(m, AGG)["config"]["meta"].update(agent_filter="none"),
        ),
        "meta.agent_filter: none with a reason",
    ),
    (
        "gold_has_contracts",
        lambda m: set_in(node(m, FCT)["config"], contract={"enforced": False}),
        "fct_def_tickets enforces no contract",
    ),
    ("reports_are_public", lambda m: set_in(node(m, RPT)["config"], tags=[]), "is not tagged report"),
    ("reports_are_public", lambda m: set_in(node(m, RPT), access="protected"), "has protected access"),
    (
        "experiments_promise_nothing",
        lambda m: set_in(node(m, "exp_def_tickets_by_hour"), access="public"),
        "promote it to an rpt_",
    ),
    (
        "experiments_promise_nothing",
        lambda m: set_in(node(m, "exp_def_tickets_by_hour")["config"], tags=[]),
        "is not tagged exp",
    ),
    (
        "compat_names_what_it_replaces",
        lambda m: set_in(node(m, "fct_support_tickets_daily")["config"], meta={}),
        "meta.replaces is missing",
    ),
    (
        "exposures_read_reports",
        lambda m: m["exposures"][f"exposure.{PROJECT}.backlog"]["depends_on"]["nodes"].append(ref(AGG)),
        "backlog reads agg_def_tickets_channel_daily",
    ),
    (
        "exposures_read_reports",
        dashboard_reads_an_old_name,
        "backlog reads rpt_def_old_daily, an old name",
    ),
    ("facts_add_something", fact_is_a_copy, "fct_def_tickets has the columns of what it reads"),
    (
        "description_starts_with_the_grain",
        lambda m: set_in(node(m, FCT), description="Tickets. One row per ticket."),
        "the description begins 'Tickets.'",
    ),
    ("description_starts_with_the_grain", lambda m: set_in(node(m, FCT), description=""), "the description begins ''"),
    (
        "tables_are_held_by_the_engine",
        lambda m: put(m, check("not_null", FCT, "channel")),
        "fct_def_tickets tests channel for NULL; make that a constraint",
    ),
    (
        "tables_are_held_by_the_engine",
        lambda m: node(m, RPT)["columns"]["channel"].update(constraints=[{"type": "not_null"}]),
        "rpt_def_tickets_daily holds channel to not_null, which no engine does for it",
    ),
    ("primary_key_is_tested", lambda m: drop_test(m, "unique_fct_def_tickets_ticket_key"), "fct_def_tickets no column"),
    (
        "primary_key_is_tested",
        lambda m: (
            set_in(node(m, FCT)["columns"], ticket_key={}),
            put(m, check("not_null", FCT, "ticket_key", severity="WARN")),
        ),
        "no column is both unique and not_null at severity error",
    ),
    (
        "primary_key_is_tested",
        lambda m: (drop_test(m, "unique_fct_def_tickets_ticket_key"), put(m, check("unique", FCT, "channel"))),
        "fct_def_tickets no column is both",
    ),
    (
        "one_yaml_per_model",
        lambda m: set_in(node(m, FCT), patch_path="support://models/def/gold/_models.yml"),
        "is documented in models/def/gold/_models.yml, expected models/def/gold/fct_def_tickets.yml",
    ),
    ("one_yaml_per_model", lambda m: set_in(node(m, FCT), patch_path=None), "is documented in no file"),
    (
        "databases_are_never_hard_coded",
        lambda m: set_in(node(m, FCT), raw_code="select * from Def_DB_prod.SILVER.x"),
        "fct_def_tickets spells Def_DB_prod",
    ),
    (
        "databases_are_never_hard_coded",
        lambda m: agg_calls(m, "where_it_is", "select * from CORE_DB_LOCAL.GOLD.dim"),
        "where_it_is spells CORE_DB_LOCAL",
    ),
    (
        "databases_are_set_in_one_place",
        lambda m: set_in(
            node(m, FCT), raw_code="{{ config(\n    materialized='table',\n    database = target.database) }}"
        ),
        "fct_def_tickets sets database",
    ),
]


def test_a_house_in_order_breaks_no_rule():
    assert manifest_rules.check(house()) == []


@pytest.mark.parametrize(("rule", "plant", "said"), VIOLATIONS)
def test_a_planted_violation_is_reported_by_its_rule(rule, plant, said):
    manifest = house()
    plant(manifest)
    findings = [finding for finding in manifest_rules.check(manifest) if finding.startswith(f"{rule}: ")]
    assert [finding for finding in findings if said in finding], findings


def test_every_rule_has_a_planted_violation():
    assert {rule.__name__ for rule in RULES} == {rule for rule, _, _ in VIOLATIONS}


def test_every_rule_says_in_one_sentence_what_it_wants():
    assert [rule.__name__ for rule in RULES if not (rule.__doc__ or "").strip().endswith(".")] == []


# what is allowed although it looks like a violation
ALLOWED: list[tuple[str, Callable[[Manifest], object]]] = [
    (
        "an event stream appends",
        lambda m: (
            set_in(node(m, SILVER)["config"], incremental_strategy="append"),
            node(m, SILVER)["config"]["meta"].update(input_kind="event_stream"),
        ),
    ),
    (
        "a report passes another one through unchanged",
        lambda m: put_report(m, "{{ config(alias='x') }}\nselect * from {{ ref('rpt_def_tickets_daily') }}\n"),
    ),
    (
        "an experiment reads a fact for a stated reason",
        lambda m: (
            node(m, "exp_def_tickets_by_hour")["depends_on"]["nodes"].append(ref(FCT)),
            node(m, "exp_def_tickets_by_hour")["config"]["meta"].update(reads_fct_reason="needs ticket identity"),
        ),
    ),
    (
        "an aggregate gives up the channel with a reason",
        lambda m: (
            node(m, AGG)["columns"].pop("channel"),
            node(m, AGG)["config"]["meta"].update(channel_collapsed="agent time has no channel"),
        ),
    ),
    (
        "a volume aggregate counts everyone's tickets and says why",
        lambda m: (
            set_in(node(m, AGG), raw_code="with n as (select count(*) from t) select * from n"),
            node(m, AGG)["config"]["meta"].update(agent_filter="none", agent_filter_reason="volume counts unassigned"),
        ),
    ),
    (
        "the loader's own books have neither kind nor freshness",
        lambda m: set_in(source(m), identifier="INGEST_BATCHES", freshness=None, config={"meta": {}}),
    ),
    (
        "a spine over two aggregates",
        lambda m: (
            report_over_two(m, "select day from a\nunion\nselect day from b"),
            put_keys(m, "agg_def_csat_channel_daily"),
        ),
    ),
    (
        "an engine's function in the folder for it",
        lambda m: m["macros"].update({"x": macro("seconds", "datediff('second', a, b)", folder="engine")}),
    ),
    ("a model that is one macro call", lambda m: set_in(node(m, RPT), raw_code="{{ rpt_tickets('def') }}")),
    ("a developer's own schema", lambda m: set_in(node(m, FCT), schema="ANA_GOLD")),
    ("a channel under a longer name", lambda m: rename_channel(m)),
    (
        "a comment that names a database",
        lambda m: set_in(node(m, FCT), raw_code=node(m, FCT)["raw_code"] + " -- was DEF_DB_PROD.GOLD.x"),
    ),
]


def put_report(manifest: Manifest, sql: str) -> None:
    config = {"tags": ["report"]}
    name = "rpt_def_tickets_wow"
    put(manifest, model(name, "gold", "view", (ref(RPT),), ("k",), config, access="public", raw_code=sql))
    put_keys(manifest, name)


def put_keys(manifest: Manifest, name: str) -> None:
    set_in(node(manifest, name)["config"], meta={"agent_filter": "none", "agent_filter_reason": "planted"})
    put(manifest, check("unique", name, "k"))
    keep_from_null(node(manifest, name), manifest["nodes"], "channel", "k")


def rename_channel(manifest: Manifest) -> None:
    columns = node(manifest, AGG)["columns"]
    columns["first_response_channel"] = columns.pop("channel")


@pytest.mark.parametrize(("allowed", "plant"), ALLOWED, ids=[name for name, _ in ALLOWED])
def test_no_rule_objects_to(allowed, plant):
    manifest = house()
    plant(manifest)
    assert manifest_rules.check(manifest) == []


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, manifest_rules.__file__, *args], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_command_exits_0_on_a_house_in_order_1_with_findings_and_2_without_a_manifest(tmp_path: Path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(house()))
    broken = house()
    set_in(node(broken, RPT)["config"], tags=[])
    bad.write_text(json.dumps(broken))

    in_order, violated, missing = run(str(good)), run(str(bad)), run(str(tmp_path / "none.json"))

    assert (in_order.returncode, in_order.stdout) == (0, f"{len(RULES)} rules hold\n")
    assert (violated.returncode, violated.stdout) == (
        1,
        "reports_are_public: rpt_def_tickets_daily is not tagged report\n",
    )
    assert missing.returncode == 2
    assert "is no manifest" in missing.stderr
