from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from include.local.__main__ import read_env_file
from include.local.console import Console
from include.local.folder import Refused
from include.local.run import free_logical_date, night_title, number_of_nights
from include.local.sql import Published, prompt
from include.local.stack import Stack, connection_body, free_port, import_error, port_is_taken
from include.local.summary import DbtResults, StreamRows, dbt_sentence, phases, read_dbt, read_streams, stream_table
from include.local.tools import dbt_arguments, without_unit_tests
from include.local.up import port_number

NOW = datetime(2026, 1, 5, 6, 20, 0, 400, tzinfo=UTC)


@pytest.mark.parametrize(("text", "nights"), [("", 0), ("1", 1), ("60", 60)])
def test_nights_are_counted(text: str, nights: int) -> None:
    assert number_of_nights(text) == nights


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "61", "²"])
def test_a_number_of_nights_that_makes_no_sense_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(Refused, match=f"NIGHTS is '{text}'; it must be a whole number from 1 to 60"):
        number_of_nights(text)


@pytest.mark.parametrize("text", ["80", "http", "70000", ""])
def test_a_port_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=f"PORT is '{text}'; it must be a number from 1024 to 65535"):
        port_number(text)


def test_a_repeated_night_takes_the_next_free_second() -> None:
    first = free_logical_date(NOW, [])
    second = free_logical_date(NOW, [first])

    assert first == datetime(2026, 1, 5, 6, 20, tzinfo=UTC)
    assert (second - first).total_seconds() == 1


def test_a_night_is_named_in_the_clients_own_time() -> None:
    run = {"data_interval_start": "2026-01-04T06:15:00Z", "data_interval_end": "2026-01-05T06:15:00Z"}

    title = night_title(run, "America/Sao_Paulo")

    assert title == "the night to Mon 05 Jan 2026 03:15 (from 04 Jan 03:15, America/Sao_Paulo)"


def test_a_port_somebody_listens_on_is_taken() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        assert port_is_taken(server.getsockname()[1])
    assert not port_is_taken(free_port())


def test_a_connection_of_the_settings_file_is_registered_without_any_secret() -> None:
    entry = {"conn_id": "pylon_def", "conn_type": "generic", "conn_password": "never", "conn_extra": {"region": "us"}}

    assert connection_body(entry) == {
        "connection_id": "pylon_def",
        "conn_type": "generic",
        "host": None,
        "schema": None,
        "login": None,
        "port": None,
        "extra": '{"region": "us"}',
    }


def test_an_import_error_is_said_in_one_line() -> None:
    error = {
        "filename": "def_support.py",
        "stack_trace": "Traceback ...\n  File ...\nConfigurationError: run `make manifest`\n",
    }

    assert import_error(error) == "def_support.py does not import: ConfigurationError: run `make manifest`"


def test_dbt_results_are_counted_by_what_they_were(tmp_path: Path) -> None:
    results = tmp_path / "run_results.json"
    statuses = [
        ("model.p.a", "success"),
        ("seed.p.b", "success"),
        ("operation.p.on-run-start-0", "success"),
        ("test.p.t1.1", "pass"),
        ("test.p.t2.2", "warn"),
        ("test.p.t3.3", "fail"),
        ("test.p.t4.4", "skipped"),
        ("model.p.c", "error"),
    ]
    results.write_text(json.dumps({"results": [{"unique_id": u, "status": s} for u, s in statuses]}))

    counted = read_dbt(results)

    assert counted == DbtResults(models=2, passed=1, warned=1, failed=2, not_run=1, warnings=("t2",))
    assert dbt_sentence(counted) == "2 models and seeds built, 1 tests passed, 1 warned, 2 failed, 1 not run"


def test_results_that_were_never_written_count_nothing(tmp_path: Path) -> None:
    assert read_dbt(tmp_path / "run_results.json") == DbtResults()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "support.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table ingest_batches (stream varchar, pipeline_run_id varchar, row_count bigint)")
        connection.execute(
            "insert into ingest_batches values ('pylon_issues', 'r1', 1400), ('pylon_issues', 'r2', 30), "
            "('pylon_accounts', 'r1', 99)"
        )
        connection.execute("create view rpt_tickets as select 12 as tickets, null as team")
    return path


def test_streams_are_summed_from_the_published_ledger(published: Path) -> None:
    rows = read_streams(published, ["r2"])

    assert rows == [
        StreamRows("main", "pylon_accounts", 0, 0, 1, 99),
        StreamRows("main", "pylon_issues", 1, 30, 2, 1430),
    ]
    assert stream_table(rows)[2] == "pylon_issues               1         30                2         1,430"


def test_nothing_published_is_nothing_summed(tmp_path: Path) -> None:
    assert read_streams(tmp_path / "support.duckdb", ["r1"]) == []


def test_phases_are_one_line() -> None:
    assert phases({"start": 10.2, "night": 65}) == "start 10 s, night 1 min 05 s"


def test_a_query_on_the_published_copy_is_answered_as_a_table(published: Path) -> None:
    assert Published(published).ask("from rpt_tickets") == [
        "tickets   team",
        "--------------",
        "     12   NULL",
        "(1 row)",
    ]


def test_the_published_copy_cannot_be_written(published: Path) -> None:
    with pytest.raises(duckdb.Error, match="read-only"):
        Published(published).ask("delete from ingest_batches")


def test_before_anything_is_published_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing is published yet .* make run builds and publishes it"):
        Published(tmp_path / "support.duckdb")


def test_a_newer_copy_is_seen_by_an_open_prompt(published: Path, tmp_path: Path) -> None:
    asked = Published(published)
    asked.ask("from rpt_tickets")
    newer = tmp_path / "newer.duckdb"
    with duckdb.connect(str(newer)) as connection:
        connection.execute("create table fresh as select 1 as one")
    newer.replace(published)

    assert asked.ask("from fresh")[-1] == "(1 row)"


def test_the_prompt_collects_a_statement_over_lines_and_survives_a_mistake(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = iter(["select tickets", "from rpt_tickets;", "select nonsense;", ".tables", ".quit"])

    assert prompt(Published(published), read=lambda _: next(lines)) == 0

    said = capsys.readouterr()
    assert "tickets\n-------\n     12\n(1 row)" in said.out
    assert "ingest_batches" in said.out
    assert "nonsense" in said.err


def test_the_env_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# tokens\nPYLON_DEF_TOKEN='a b'\nexport SUPPORT_TARGET=dev\n\nEMPTY=\nnot a line\nURL=\"x=y\"\n")

    assert read_env_file(file) == {"PYLON_DEF_TOKEN": "a b", "SUPPORT_TARGET": "dev", "EMPTY": "", "URL": "x=y"}
    assert read_env_file(tmp_path / "missing") == {}


def test_dbt_gets_the_project_and_the_target_unless_a_person_names_them() -> None:
    assert dbt_arguments(["build", "-s", "a", "--target", "ci"], "local").count("--target") == 1
    assert dbt_arguments(["build"], "local")[-2:] == ["--target", "local"]
    assert dbt_arguments(["--version"], "local") == ["--version"]


def test_an_airflow_that_does_not_run_is_not_up(tmp_path: Path) -> None:
    from include.local.folder import Place

    stack = Stack(Place(tmp_path), Console(io.StringIO()), lock=0, port=free_port())

    assert not stack.api.is_up()


def test_a_build_before_anything_was_loaded_leaves_the_unit_tests_out(tmp_path, capsys):
    loaded, empty, absent = tmp_path / "loaded.duckdb", tmp_path / "empty.duckdb", tmp_path / "absent.duckdb"
    with duckdb.connect(str(loaded)) as connection:
        connection.execute("create schema BRONZE; create table BRONZE.PYLON_ISSUES (ID varchar)")
    with duckdb.connect(str(empty)) as connection:
        connection.execute("create schema SILVER; create table SILVER.APPLIED_KEYS (MODEL varchar)")
    left_out = ["--exclude-resource-type", "unit_test"]
    assert without_unit_tests(["build"], [loaded]) == []
    assert capsys.readouterr().err == ""
    assert without_unit_tests(["build"], [loaded, empty]) == left_out
    assert without_unit_tests(["test", "-s", "a"], [absent]) == left_out
    assert "make run" in capsys.readouterr().err
    assert without_unit_tests(["run"], [absent]) == []
    assert without_unit_tests(["build", "--resource-type", "unit_test"], [absent]) == []
