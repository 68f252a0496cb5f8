"""The commands, as a user types them."""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
from pathlib import Path

import psutil
import pytest

from include.settings import load_settings
from tests.e2e.conftest import Checkout, FirstRun, until

pytestmark = pytest.mark.e2e

THREAD = {"pylon_accounts", "pylon_issues"}  # a directory and an increment: what every run must load


def rows_of(output: str) -> dict[str, tuple[int, int, int, int]]:
    """The stream table of a summary: new batches, new rows, batches in all, rows in all."""
    found = re.findall(r"^  (\w+) +([\d,]+) +([\d,]+) +([\d,]+) +([\d,]+)$", output, re.MULTILINE)
    return {name: tuple(int(n.replace(",", "")) for n in numbers) for name, *numbers in found}  # type: ignore[misc]


def test_the_first_run_loads_builds_tests_and_publishes(first_run: FirstRun) -> None:
    output = first_run.result.stdout
    assert first_run.result.returncode == 0, output + first_run.result.stderr

    rows = rows_of(output)
    assert {stream.name for stream in load_settings({}).client("def").streams} & set(rows) >= THREAD
    for new_batches, new_rows, batches, all_rows in rows.values():
        assert new_batches == batches > 0
        assert new_rows == all_rows
    assert all(rows[stream][1] > 0 for stream in THREAD)
    built = re.search(r"def_support +(\d+) models and seeds built, ([\d,]+) tests passed, \d+ warned, 0 failed", output)
    assert built
    assert int(built[1]) > 0
    assert int(built[2].replace(",", "")) > 0
    assert (first_run.checkout.data / "serving" / "support.duckdb").is_file()


def test_it_leaves_nothing_running_and_writes_nowhere_else(first_run: FirstRun) -> None:
    assert first_run.checkout.processes() == []
    assert list(first_run.checkout.home.rglob("*")) == []
    assert not (first_run.checkout.folder / ".data").exists()


def test_its_output_is_plain_where_it_is_not_a_terminal(first_run: FirstRun) -> None:
    assert first_run.result.stdout.isascii()
    assert "\x1b" not in first_run.result.stdout
    assert "Traceback" not in first_run.result.stdout + first_run.result.stderr


def test_what_is_secret_is_its_owners_only(first_run: FirstRun) -> None:
    for name in ("passwords.json", "keys.json"):
        file = first_run.checkout.data / "airflow" / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for secret in json.loads(file.read_text()).values():
            assert secret not in first_run.result.stdout


def test_an_interrupted_run_leaves_nothing_and_the_next_night_loads_only_what_is_missing(
    first_run: FirstRun, tmp_path: Path
) -> None:
    checkout = first_run.checkout
    log = tmp_path / "killed.log"
    killed = checkout.start("run", "NIGHTS=1", log=log)
    assert until(lambda: "pylon.extract_issues started" in log.read_text(), 120, killed), log.read_text()
    (runner,) = psutil.Process(killed.pid).children()
    runner.kill()
    killed.wait(timeout=30)
    assert until(lambda: not checkout.processes(), 30)

    log = tmp_path / "interrupted.log"
    interrupted = checkout.start("run", log=log)
    assert until(lambda: "def_support    the night" in log.read_text(), 120, interrupted), log.read_text()
    (runner,) = psutil.Process(interrupted.pid).children()
    runner.send_signal(signal.SIGINT)
    assert interrupted.wait(timeout=30) != 0
    assert checkout.processes() == []
    assert "run: stopped, nothing is left running" in log.read_text()

    result = checkout.make("run", "NIGHTS=1")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "had been interrupted and is marked failed" in log.read_text() + result.stdout
    rows = rows_of(result.stdout)  # the night that was interrupted, and the next
    assert {stream: rows[stream][0] for stream in THREAD} == {"pylon_accounts": 1, "pylon_issues": 2}
    assert all(numbers[0] <= 2 for stream, numbers in rows.items() if stream.startswith(("pylon_", "plain_")))
    assert rows["pylon_issues"][1] < rows["pylon_issues"][3] / 10
    again = checkout.make("run")
    assert "Nothing new to extract" in again.stdout, again.stdout + again.stderr
    assert {numbers[:2] for numbers in rows_of(again.stdout).values()} == {(0, 0)}


def test_a_second_stack_in_the_same_folder_is_told_who_holds_it(first_run: FirstRun, tmp_path: Path) -> None:
    log = tmp_path / "first.log"
    running = first_run.checkout.start("run", log=log)
    try:
        assert until(lambda: "vendors" in log.read_text(), 60, running), log.read_text()
        refused = first_run.checkout.make("run", timeout=30)
        cleaning = first_run.checkout.make("clean", timeout=30)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=60)

    assert refused.returncode != 0
    assert "is in use by make run (pid " in refused.stderr
    assert cleaning.returncode != 0
    assert "is in use by make run (pid " in cleaning.stderr
    assert until(lambda: not first_run.checkout.processes(), 30)


@pytest.mark.parametrize(
    ("words", "env", "sentence"),
    [
        (["run"], {"SUPPORT_TARGET": "xyz"}, "SUPPORT_TARGET is 'xyz'; it must be one of local, ci, cicd, dev, prod"),
        (["run"], {"SUPPORT_TARGET": "dev"}, "no Snowflake account is set: give connection snowflake_support one"),
        (["run"], {"SUPPORT_TARGET": "cicd"}, "SUPPORT_TARGET is 'cicd', which Bronze cannot load; use local, ci, dev"),
        (["run"], {"SUPPORT_DATA_DIR": "/proc/nowhere"}, "SUPPORT_DATA_DIR is '/proc/nowhere'"),
        (["run", "NIGHTS=soon"], {}, "NIGHTS is 'soon'; it must be a whole number from 1 to 60"),
        (["up", "PORT=99"], {}, "PORT is '99'; it must be a number from 1024 to 65535"),
        (["sql"], {"SUPPORT_TARGET": "LOCAL"}, "SUPPORT_TARGET is 'LOCAL'"),
    ],
)
def test_a_wrong_setting_is_one_sentence_before_anything_starts(
    pristine: Checkout, words: list[str], env: dict[str, str], sentence: str
) -> None:
    result = pristine.make(*words, timeout=60, **env)

    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("include/clients/def.yaml", "code: def", "code: defx", "code is 'defx'"),
        ("include/clients/def.yaml", "America/Sao_Paulo", "America/Springfield", "timezone is 'America/Springfield'"),
        ("include/clients/core.yaml", "code: core", "code: def", "code is 'def'"),
    ],
)
def test_a_wrong_client_file_is_one_sentence_naming_it(
    pristine: Checkout, tmp_path: Path, file: str, old: str, new: str, sentence: str
) -> None:
    path = pristine.folder / file
    good = path.read_text()
    path.write_text(good.replace(old, new, 1))
    try:
        result = pristine.make("run", timeout=60)
    finally:
        path.write_text(good)

    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_failing_task_is_the_truth_at_the_end(first_run: FirstRun) -> None:
    checkout = first_run.checkout
    model = checkout.folder / "include/dbt/models/core/gold/dim_calendar.sql"
    good = model.read_text()
    model.write_text(good + "\n-- planted\nunion all select no_such_column from nowhere\n")
    try:
        result = checkout.make("run")
    finally:
        model.write_text(good)

    assert result.returncode != 0
    assert re.search(r"dim_calendar\S* of core_reference failed", result.stdout), result.stdout + result.stderr
    log = re.search(r"log: (\S+)", result.stdout)
    assert log
    assert Path(log[1]).is_file()
    assert checkout.processes() == []


def test_the_published_copy_answers_a_query(first_run: FirstRun) -> None:
    result = first_run.checkout.make("sql", "Q=select count(*) > 0 as filled from ingest_batches where stream != 'x'")

    assert result.returncode == 0, result.stderr
    assert result.stdout == "filled\n------\nTrue\n(1 row)\n"


def test_the_tools_see_the_stack_the_commands_made(first_run: FirstRun) -> None:
    listed = first_run.checkout.make("airflow", "ARGS=dags list --output plain")
    models = first_run.checkout.make("dbt", "ARGS=ls --resource-type model --quiet")

    assert "def_support" in listed.stdout
    assert "support_medallion.core.gold.dim_calendar" in models.stdout
    assert list(first_run.checkout.home.rglob("*")) == []


def test_help_lists_every_command(pristine: Checkout) -> None:
    result = pristine.make("help")

    listed = set(re.findall(r"^  make (\S+) +\S", result.stdout, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (pristine.folder / "Makefile").read_text(), re.MULTILINE))
    assert listed == targets


def test_before_anything_has_run_make_sql_says_what_to_do(pristine: Checkout, tmp_path: Path) -> None:
    result = pristine.make("sql", SUPPORT_DATA_DIR=str(tmp_path))

    assert result.returncode == 2
    assert "make run builds and publishes it" in result.stderr


def test_make_without_a_fitting_python_says_which_one_is_needed(pristine: Checkout, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\necho 3 9 /usr/bin/python3\n")
    old.chmod(0o755)
    program = "import sys, include.local.bootstrap as b; b.CANDIDATES = (sys.argv[1],); sys.executable = sys.argv[1]; b.find_python()"

    result = subprocess.run(
        ["python3", "-c", program, str(old)], cwd=pristine.folder, capture_output=True, text=True, check=False
    )

    assert "Python 3.11 or 3.12 is needed and none was found on PATH" in result.stderr
