"""Silver through real dbt: nights, corrections, changed rules, several models at once."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Lock
from time import sleep
from typing import Any

import pytest
from dbt.adapters.base import BaseAdapter
from dbt.adapters.cache import RelationsCache

from tests.dbt.bronze import Bronze, Look, Row, account, at, issue, open_warehouse, stamp
from tests.dbt.oracle import current_records
from tests.dbt.project import Outcome, Project, copy_of_project

pytestmark = pytest.mark.integration

SILVER = ("def_pylon_issues", "def_pylon_accounts")


def test_nights_corrections_and_deletions_leave_what_a_rebuild_would(tmp_path: Path) -> None:
    project = Project(tmp_path)
    nights = [
        # nothing loaded yet: the tables are there and empty
        lambda bronze: None,
        lambda bronze: (
            bronze.load("pylon_issues", "n1", [Row(issue(f"i{n}", at(n)), at(60)) for n in range(6)]),
            bronze.load("pylon_accounts", "n1", [Row(account(f"a{n}", at(0)), at(61)) for n in range(3)], [_all(60)]),
        ),
        # an account leaves, an issue changes, another is read again unchanged
        lambda bronze: (
            bronze.load(
                "pylon_issues",
                "n2",
                [Row(issue("i1", at(90), state="closed"), at(120)), Row(issue("i2", at(2)), at(120))],
            ),
            bronze.load("pylon_accounts", "n2", [Row(account(f"a{n}", at(0)), at(121)) for n in range(2)], [_all(120)]),
        ),
        # the first night is extracted again and has become smaller; history arrives late; the account is back
        lambda bronze: (
            bronze.load("pylon_issues", "n1", [Row(issue("i0", at(0)), at(150))], attempt="a2"),
            bronze.load("pylon_issues", "h0", [Row(issue("i1", at(-500), state="new"), at(160))]),
            bronze.load("pylon_accounts", "n3", [Row(account(f"a{n}", at(0)), at(181)) for n in range(3)], [_all(180)]),
        ),
        # a batch is emptied, one vanishes, an issue turns out to be gone
        lambda bronze: (
            bronze.load("pylon_issues", "n2", [], [Look("i0", at(200), "gone")], attempt="a2"),
            bronze.drop("pylon_accounts", "n2"),
        ),
    ]
    for night in nights:
        with open_warehouse(project.warehouse) as connection:
            bronze = Bronze(connection)
            bronze.create()
            night(bronze)
        outcome = project.run("run", "--select", *SILVER)
        assert outcome.success, outcome.said()
        with open_warehouse(project.warehouse) as connection:
            for stream in ("pylon_issues", "pylon_accounts"):
                held = {key: _kept(row) for key, row in _silver(connection, f"def_{stream}").items()}
                wanted = current_records(Bronze(connection), stream)
                assert held == {
                    key: (k.batch_id, k.source_file, k.deleted_at, k.deleted_how) for key, k in wanted.items()
                }

    with open_warehouse(project.warehouse) as connection:
        before = {model: _silver(connection, model) for model in SILVER}
    assert {key for key, row in before["def_pylon_issues"].items() if row["IS_DELETED"]} == {"i0"}
    refreshed = project.run("run", "--full-refresh", "--select", *SILVER)
    assert refreshed.success, refreshed.said()
    with open_warehouse(project.warehouse) as connection:
        assert {model: _silver(connection, model) for model in SILVER} == before


def test_the_thread_is_built_and_tested_to_the_report(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create()
        created = stamp(at(-240))  # two in the morning UTC: the evening before in the reporting zone
        resolved = issue("i1", at(0), created_at=created, resolution_time=stamp(at(24 * 60 - 240)), source="email")
        bronze.load("pylon_issues", "n1", [Row(resolved, at(60)), Row(issue("i2", at(1), created_at=created), at(60))])
        bronze.load("pylon_issues", "n2", [], [Look("i2", at(90), "gone")])
        bronze.load("pylon_accounts", "n1", [Row(account("acc-1", at(0)), at(61))], [_all(60)])
    for selector in ("reference", "client_def"):
        outcome = project.run("build", "--selector", selector)
        assert outcome.success, outcome.said()
    with open_warehouse(project.warehouse) as connection:
        connection.execute(f"attach '{project.warehouse / 'CORE_DB_LOCAL.duckdb'}' as CORE_DB_LOCAL")
        report = connection.execute(
            """
            select metric_date::varchar, company_name, channel, tickets_created, tickets_resolved,
                avg_ticket_resolution_days
            from DEF_DB_LOCAL.GOLD.rpt_def_support_tickets_daily order by metric_date
            """
        ).fetchall()
    assert report == [
        ("2026-01-04", "Account acc-1", "email", 1, 0, None),
        ("2026-01-05", "Account acc-1", "email", 0, 1, 1.0),
    ]


def test_a_client_that_has_little_and_calls_it_otherwise_builds_with_warnings(tmp_path: Path) -> None:
    """No Plain, no accounts, states of its own, and only the fields that no vendor leaves out."""
    project = Project(tmp_path)
    always = ("id", "number", "title", "link", "body_html", "state", "source", "type", "created_at", "updated_at")
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create("pylon_issues")
        whole = issue("i1", at(0), state="in_triage", source="carrier_pigeon")
        bronze.load("pylon_issues", "n1", [Row({name: whole[name] for name in always}, at(60))])
    for selector in ("reference", "client_def"):
        outcome = project.run("build", "--selector", selector, "--exclude-resource-type", "unit_test")
        assert outcome.success, outcome.said()
    assert {name for name, status in outcome.statuses().items() if status == "warn"} >= {
        "accepted_values_def_pylon_issues_STATE__new__waiting_on_you__waiting_on_customer__on_hold__closed"
    }
    assert "PLAIN_THREADS was never loaded; def_plain_threads knows nothing of it" in outcome.said().replace('"', "")
    with open_warehouse(project.warehouse) as connection:
        assert _silver(connection, "def_pylon_issues")["i1"]["STATE"] == "in_triage"
        assert _silver(connection, "def_plain_threads") == {}


def test_a_model_that_asks_for_bronze_while_dbt_still_lists_it_reads_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dbt enters the relations of a schema one by one, and what another thread asks meanwhile is not there yet."""
    enter, ask = RelationsCache.add, BaseAdapter.list_relations
    first, entered = Lock(), Event()

    def enter_slowly(cache: RelationsCache, relation: Any) -> None:
        enter(cache, relation)
        if relation.schema == "BRONZE":
            entered.set()
            sleep(0.3)

    def ask_in_the_middle(adapter: BaseAdapter, database: str, schema: str) -> Any:
        if schema == "BRONZE" and not first.acquire(blocking=False):
            assert entered.wait(60)
        return ask(adapter, database, schema)

    monkeypatch.setattr(RelationsCache, "add", enter_slowly)
    monkeypatch.setattr(BaseAdapter, "list_relations", ask_in_the_middle)
    project = Project(tmp_path)
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create("pylon_accounts", "pylon_issues")
        bronze.load("pylon_accounts", "n1", [Row(account("a1", at(0)), at(61))])
        bronze.load("pylon_issues", "n1", [Row(issue("i1", at(0)), at(60))])
    outcome = project.run("run", "--select", *SILVER)
    assert outcome.success, outcome.said()
    assert "was never loaded" not in outcome.said()
    with open_warehouse(project.warehouse) as connection:
        assert {name: len(_silver(connection, name)) for name in SILVER} == dict.fromkeys(SILVER, 1)


def test_a_value_that_is_no_value_is_listed_until_its_batch_is_corrected(tmp_path: Path) -> None:
    project = Project(tmp_path)
    models = ("def_pylon_issues", "def_cast_failures")
    broken = issue("i1", at(0), title=" ", resolution_time="soon", account="acc-1", number_of_touches="∅")
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create("pylon_issues")
        bronze.load("pylon_issues", "n1", [Row(broken, at(60)), Row(issue("i2", at(0)), at(60))])
        bronze.load("pylon_issues", "n2", [Row(issue("i3", at(0), resolution_time="later"), at(60))])
    build = ("build", "--indirect-selection", "cautious", "--select", *models)
    built = project.run(*build)
    assert not built.success  # three unreadable values, and the client allows none
    assert "stays_within_limits_def_cast_failures_def_bronze" in {
        name for name, status in built.statuses().items() if status == "fail"
    }
    assert _failures(project) == {
        ("i1", "TITLE", "blank", " "),
        ("i1", "RESOLUTION_TIME", "unreadable", "soon"),
        ("i1", "ACCOUNT_ID", "unreadable", "acc-1"),
        ("i1", "NUMBER_OF_TOUCHES", "empty set", "∅"),
        ("i3", "RESOLUTION_TIME", "unreadable", "later"),
    }
    with open_warehouse(project.warehouse) as connection:
        Bronze(connection).load("pylon_issues", "n1", [Row(issue("i1", at(0), title="∅"), at(60))], attempt="a2")
        Bronze(connection).load("pylon_issues", "n2", [], attempt="a2")
    built = project.run(*build)
    assert built.success, built.said()
    assert _failures(project) == {("i1", "TITLE", "empty set", "∅")}


def test_a_limit_of_the_clients_file_lets_so_many_pass(tmp_path: Path) -> None:
    project = Project(tmp_path / "data", copy_of_project(tmp_path))
    sources = project.project_dir / "models" / "def" / "_def__sources.yml"
    text = sources.read_text()
    assert "unreadable_allowed: {}" in text
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create("pylon_issues")
        bronze.load(
            "pylon_issues", "n1", [Row(issue(f"i{n}", at(0), resolution_time="soon"), at(60)) for n in range(2)]
        )
    assert project.run("run", "--select", "def_pylon_issues", "def_cast_failures").success
    ended = {}
    for limit in (1, 2):
        sources.write_text(
            text.replace("unreadable_allowed: {}", f"unreadable_allowed: {{pylon_issues.RESOLUTION_TIME: {limit}}}")
        )
        ended[limit] = project.run("test", "--select", "test_name:stays_within_limits,def_cast_failures").success
    assert ended == {1: False, 2: True}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            "models/def/silver/def_pylon_issues.sql",
            "{{ text('TITLE') }} as TITLE,",
            "upper({{ text('TITLE') }}) as TITLE,\n        {{ text('LINK') }} as URL,",
        ),
        ("macros/engine/values.sql", "else {{ column }} end", "else upper({{ column }}) end"),
    ],
    ids=["a changed column", "a changed macro"],
)
def test_changed_rules_reach_the_rows_no_batch_touches(tmp_path: Path, file: str, old: str, new: str) -> None:
    project = Project(tmp_path / "data", copy_of_project(tmp_path))
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create()
        bronze.load("pylon_issues", "n1", [Row(issue("i1", at(0), title="slow"), at(60))])
    assert _built_how(project.run("run", "--select", "def_pylon_issues")) == "new"
    assert _built_how(project.run("run", "--select", "def_pylon_issues")) == "merged"

    path = project.project_dir / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))

    assert _built_how(project.run("run", "--select", "def_pylon_issues")) == "new"
    with open_warehouse(project.warehouse) as connection:
        assert _silver(connection, "def_pylon_issues")["i1"]["TITLE"] == "SLOW"
    assert _built_how(project.run("run", "--select", "def_pylon_issues")) == "merged"


def test_a_field_the_vendor_adds_reaches_a_table_that_may_not_be_rebuilt_and_one_that_may(tmp_path: Path) -> None:
    project = Project(tmp_path / "data", copy_of_project(tmp_path))
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create()
        bronze.load("pylon_issues", "n1", [Row(issue(f"i{n}", at(0)), at(60)) for n in (1, 2)])
    assert _built_how(project.run("run", "--select", "def_pylon_issues")) == "new"
    with open_warehouse(project.warehouse) as connection:
        connection.execute("alter table DEF_DB_LOCAL.BRONZE.PYLON_ISSUES add column MOOD varchar")
        connection.execute("update DEF_DB_LOCAL.BRONZE.PYLON_ISSUES set MOOD = 'good'")
        columns = set(_silver(connection, "def_pylon_issues")["i1"])
        bronze = Bronze(connection)
        bronze.load("pylon_issues", "n2", [Row(issue("i2", at(5), mood="bad"), at(60))])
    assert _built_how(project.run("run", "--select", "def_pylon_issues")) == "merged"  # nobody has asked for it yet
    with open_warehouse(project.warehouse) as connection:
        assert set(_silver(connection, "def_pylon_issues")["i1"]) == columns

    path = project.project_dir / "models" / "def" / "silver" / "def_pylon_issues.sql"
    text = path.read_text().replace("{{ text('LINK') }} as LINK", "{{ text('MOOD') }} as MOOD")
    path.write_text("{{ config(full_refresh=false) }}\n" + text)
    with open_warehouse(project.warehouse) as connection:
        Bronze(connection).load("pylon_issues", "n3", [Row(issue("i2", at(9), mood="worse"), at(61))])
    assert _built_how(project.run("run", "--select", "def_pylon_issues")) == "merged"
    with open_warehouse(project.warehouse) as connection:
        rows = _silver(connection, "def_pylon_issues")
    assert set(rows["i1"]) == columns - {"LINK"} | {"MOOD"}
    assert {key: row["MOOD"] for key, row in rows.items()} == {"i1": None, "i2": "worse"}

    path.write_text(text)
    assert _built_how(project.run("run", "--select", "def_pylon_issues")) == "new"
    with open_warehouse(project.warehouse) as connection:
        assert {key: row["MOOD"] for key, row in _silver(connection, "def_pylon_issues").items()} == {
            "i1": "good",
            "i2": "worse",
        }


def test_many_silver_models_at_once_do_not_get_into_each_others_way(tmp_path: Path) -> None:
    project = Project(tmp_path / "data", copy_of_project(tmp_path))
    folder = project.project_dir / "models" / "def" / "silver"
    twins = [f"def_pylon_issues_{n}" for n in range(8)]
    for twin in twins:
        (folder / f"{twin}.sql").write_text((folder / "def_pylon_issues.sql").read_text())
    for night in range(3):
        with open_warehouse(project.warehouse) as connection:
            bronze = Bronze(connection)
            bronze.create()
            bronze.load(
                "pylon_issues", "again", [Row(issue(f"i{n}", at(night)), at(night + 1)) for n in range(night, 30)]
            )
            bronze.load("pylon_issues", f"n{night}", [Row(issue(f"n{night}", at(night)), at(night + 1))])
        outcome = project.run("run", "--threads", "4", "--select", *twins)
        assert outcome.success, outcome.said()
        with open_warehouse(project.warehouse) as connection:
            held = connection.execute(
                """
                select MODEL, count(*) from DEF_DB_LOCAL.SILVER.APPLIED_BATCHES as held
                inner join DEF_DB_LOCAL.BRONZE.INGEST_BATCHES as ledger using (BATCH_ID, LOAD_ID) group by MODEL
                """
            ).fetchall()
            assert dict(held) == dict.fromkeys(twins, night + 2)
            rows = [_silver(connection, twin) for twin in twins]
    assert all(each == rows[0] for each in rows)
    assert len(rows[0]) == 31


def test_a_build_without_rows_cannot_hide_the_first_load(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create()
        bronze.load("pylon_issues", "n1", [Row(issue("i1", at(0)), at(60))])
    assert project.run("run", "--empty", "--select", "def_pylon_issues").success
    with open_warehouse(project.warehouse) as connection:
        assert _silver(connection, "def_pylon_issues") == {}
    assert project.run("run", "--select", "def_pylon_issues").success
    with open_warehouse(project.warehouse) as connection:
        assert set(_silver(connection, "def_pylon_issues")) == {"i1"}


def test_a_failing_build_leaves_silver_as_it_was(tmp_path: Path) -> None:
    project = Project(tmp_path / "data", copy_of_project(tmp_path))
    with open_warehouse(project.warehouse) as connection:
        bronze = Bronze(connection)
        bronze.create()
        bronze.load("pylon_issues", "n1", [Row(issue("i1", at(0)), at(60))])
    assert project.run("run", "--select", "def_pylon_issues").success
    with open_warehouse(project.warehouse) as connection:
        before = _silver(connection, "def_pylon_issues")
        Bronze(connection).load("pylon_issues", "n2", [Row(issue("i1", at(5), title="new"), at(60))])

    settings = project.project_dir / "dbt_project.yml"
    text = settings.read_text()
    broken = text.replace(
        '- "{{ mark_pending_batches() if follows_a_stream() }}"', "- \"select cast('no number' as integer)\""
    )
    assert broken != text
    settings.write_text(broken)
    assert not project.run("run", "--select", "def_pylon_issues").success
    with open_warehouse(project.warehouse) as connection:
        assert _silver(connection, "def_pylon_issues") == before

    settings.write_text(text)
    assert project.run("run", "--select", "def_pylon_issues").success
    with open_warehouse(project.warehouse) as connection:
        assert _silver(connection, "def_pylon_issues")["i1"]["TITLE"] == "new"


def _failures(project: Project) -> set[tuple[Any, ...]]:
    with open_warehouse(project.warehouse) as connection:
        rows = _silver(connection, "def_cast_failures").values()
    return {tuple(row[name] for name in ("SOURCE_RECORD_KEY", "COLUMN_NAME", "FAILURE", "RAW_SAMPLE")) for row in rows}


def _all(minute: float) -> Look:
    return Look("*", at(minute))


def _built_how(outcome: Outcome) -> str:
    assert outcome.success, outcome.said()
    return "merged" if any("merge into" in sql and "DBT_INTERNAL" in sql for _, sql in outcome.statements) else "new"


def _silver(connection: Any, model: str) -> dict[str, dict[str, Any]]:
    relation = connection.execute(f"select * from DEF_DB_LOCAL.SILVER.{model}")
    names = [column[0].upper() for column in relation.description]
    rows = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
    return {row["RECORD_KEY"]: row for row in rows}


def _kept(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["BATCH_ID"], row["SOURCE_FILE"], row["DELETED_AT"], row["DELETED_HOW"]
