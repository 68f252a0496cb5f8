"""A manifest by hand: the few keys the rules read, for a small house in which every rule holds."""

from typing import Any

PROJECT = "support"
METADATA = ("RECORD_KEY", "RECORD_HASH", "DATE_TO_WAREHOUSE", "SOURCE_FILE", "BATCH_ID", "PIPELINE_RUN_ID")


def check(name: str, model: str, column: str, severity: str = "ERROR") -> dict[str, Any]:
    return {
        "unique_id": f"test.{PROJECT}.{name}_{model}_{column}",
        "resource_type": "test",
        "package_name": PROJECT,
        "name": f"{name}_{model}_{column}",
        "attached_node": f"model.{PROJECT}.{model}",
        "column_name": column,
        "test_metadata": {"name": name},
        "config": {"severity": severity},
        "original_file_path": "models/schema.yml",
        "raw_code": "{{ test() }}",
        "depends_on": {"nodes": [f"model.{PROJECT}.{model}"], "macros": []},
    }


def model(
    name: str,
    folder: str,
    materialized: str,
    reads: tuple[str, ...] = (),
    columns: tuple[str, ...] = (),
    config: dict[str, Any] | None = None,
    **overrides: Any,
) -> dict[str, Any]:
    schema = "SILVER" if folder == "silver" else "GOLD"
    return {
        "unique_id": f"model.{PROJECT}.{name}",
        "resource_type": "model",
        "package_name": PROJECT,
        "name": name,
        "original_file_path": f"models/def/{folder}/{name}.sql",
        "patch_path": f"{PROJECT}://models/def/{folder}/{name}.yml",
        "database": "DEF_DB_LOCAL",
        "schema": schema,
        "access": "protected",
        "description": f"One row per {name} id. More words.",
        "raw_code": f"with final as (select 1 as {name})\nselect * from final\n",
        "columns": {column: {} for column in columns},
        "config": {
            "materialized": materialized,
            "meta": {},
            "tags": [],
            "contract": {"enforced": True},
            **(config or {}),
        },
        "depends_on": {"nodes": list(reads), "macros": []},
        **overrides,
    }


def keep_from_null(model: dict[str, Any], nodes: dict[str, Any], *columns: str) -> None:
    """By a constraint where the engine holds it, else by a test."""
    for column in columns:
        if model["config"]["materialized"] == "table":
            model["columns"][column] = {"constraints": [{"type": "not_null"}]}
        else:
            model["columns"].setdefault(column, {})
            test = check("not_null", model["name"], column)
            nodes[test["unique_id"]] = test


def macro(name: str, sql: str, calls: tuple[str, ...] = (), folder: str = "silver") -> dict[str, Any]:
    return {
        "unique_id": f"macro.{PROJECT}.{name}",
        "package_name": PROJECT,
        "name": name,
        "original_file_path": f"macros/{folder}/{name}.sql",
        "macro_sql": sql,
        "depends_on": {"macros": [f"macro.{PROJECT}.{call}" for call in calls]},
    }


def ref(name: str) -> str:
    return f"model.{PROJECT}.{name}"


def house() -> dict[str, Any]:
    """Bronze to report in one thread, with a model of every layer."""
    silver = {
        "incremental_strategy": "merge",
        "unique_key": "RECORD_KEY",
        "on_schema_change": "sync_all_columns",
    }
    fact_meta = {"source_category": 1, "xo_filter_strategy": "left join, null agents kept", "join_key": "assignee_id"}
    issues = f"source.{PROJECT}.def_bronze.PYLON_ISSUES"
    header = "{#- Tickets.\n source_category: 1\n xo_filter_strategy: kept\n join_key: assignee_id -#}\n-- and so on\nselect * from x"
    tickets = ("ticket_key", "channel", "is_support_agent")
    daily = ("ticket_day_key", "channel", "tickets", "resolution_seconds_sum")
    models = [
        model("def_pylon_issues", "silver", "incremental", (issues,), ("record_key", "state"), silver),
        model("int_def_tickets", "intermediate", "ephemeral", (ref("def_pylon_issues"),)),
        model(
            "fct_def_tickets", "gold", "table", (ref("int_def_tickets"),), tickets, {"meta": fact_meta}, raw_code=header
        ),
        model(
            "fct_def_exclusions",
            "gold",
            "table",
            (ref("int_def_tickets"),),
            ("ticket_key",),
            {"meta": fact_meta},
            raw_code=header + "_left_out",
        ),
        model("dim_calendar_def", "gold", "table", ("seed.support.holidays",), ("calendar_date",)),
        model(
            "agg_def_tickets_channel_daily",
            "gold",
            "table",
            (ref("fct_def_tickets"), ref("dim_calendar_def")),
            daily,
            raw_code="with final as (select count(*) from t where is_support_agent) select * from final -- never avg(x)",
        ),
        model(
            "rpt_def_tickets_daily",
            "gold",
            "view",
            (ref("agg_def_tickets_channel_daily"),),
            (*daily, "resolution_hours_avg", "sla_status"),
            {"tags": ["report"]},
            access="public",
        ),
        model(
            "exp_def_tickets_by_hour",
            "gold",
            "view",
            (ref("agg_def_tickets_channel_daily"),),
            ("ticket_hour_key",),
            {"tags": ["exp"]},
        ),
        model(
            "fct_support_tickets_daily",
            "compat",
            "view",
            (ref("agg_def_tickets_channel_daily"),),
            ("ticket_day_key",),
            {"meta": {"replaces": "fct_support_tickets_daily"}},
        ),
    ]
    keys = {
        "def_pylon_issues": "record_key",
        "fct_def_tickets": "ticket_key",
        "fct_def_exclusions": "ticket_key",
        "dim_calendar_def": "calendar_date",
        "agg_def_tickets_channel_daily": "ticket_day_key",
        "rpt_def_tickets_daily": "ticket_day_key",
        "exp_def_tickets_by_hour": "ticket_hour_key",
        "fct_support_tickets_daily": "ticket_day_key",
    }
    nodes = {node["unique_id"]: node for node in models}
    tests = [check("unique", where, column) for where, column in keys.items()]
    tests.append(check("relationships", "fct_def_tickets", "channel"))
    never_null = [*keys.items(), ("agg_def_tickets_channel_daily", "channel"), ("rpt_def_tickets_daily", "channel")]
    nodes |= {test["unique_id"]: test for test in tests}
    for where, column in never_null:
        keep_from_null(nodes[ref(where)], nodes, column)
    return {
        "metadata": {"project_name": PROJECT},
        "nodes": nodes,
        "sources": {
            issues: {
                "source_name": "def_bronze",
                "name": "PYLON_ISSUES",
                "identifier": "PYLON_ISSUES",
                "database": "DEF_DB_LOCAL",
                "schema": "BRONZE",
                "freshness": {"warn_after": {"count": 26, "period": "hour"}, "error_after": None},
                "columns": {column: {} for column in METADATA},
                "config": {
                    "meta": {
                        "input_kind": "record_set",
                        "load_strategy": "batch_replace",
                        "is_append_only": False,
                        "record_key": "ID",
                    }
                },
            }
        },
        "exposures": {
            f"exposure.{PROJECT}.backlog": {
                "name": "backlog",
                "depends_on": {"nodes": [ref("rpt_def_tickets_daily")]},
                "config": {"meta": {"tool": "pages"}},
            }
        },
        "macros": {
            each["unique_id"]: each
            for each in [
                macro("channel_days", "select {{ day() }}", ("day",)),
                macro("day", "created_at::date", folder="engine"),
            ]
        },
    }
