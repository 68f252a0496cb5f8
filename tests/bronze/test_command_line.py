"""`python -m include.bronze` as a person uses it: what it does, what it says, and what a kill leaves behind."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from include.bronze.warehouses.lock import warehouse_lock
from include.settings import REPO
from tests.bronze.vendors import Vendors, served

pytestmark = pytest.mark.integration

STREAMS = ("pylon_issues", "pylon_messages")
VERBS = [
    "streams",
    "plan",
    "extract",
    "load",
    "replay",
    "reextract",
    "deletions",
    "status",
    "attempts",
    "verify",
    "approve",
    "expire",
]
# Two kills in an extraction and two in a load for each. A campaign asks for others.
KILLS = [int(seed) for seed in os.environ.get("SUPPORT_KILL_SEEDS", "0,1,2").split(",")]


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendors]:
    with served(tmp_path_factory.mktemp("vendors")) as running:
        yield running


class Shell:
    """The command line with one data folder."""

    def __init__(self, vendors: Vendors, data: Path) -> None:
        self.data = data
        self.environment = {"PATH": os.environ["PATH"], "SUPPORT_DATA_DIR": str(data)} | vendors.environment()
        self.took: dict[tuple[str, str], float] = {}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "include.bronze", *arguments],
            cwd=REPO,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def load_everything(self) -> None:
        for verb in ("extract", "load"):
            for stream in STREAMS:
                started = time.monotonic()
                assert self.run(verb, "--stream", stream)[0] == 0
                self.took[verb, stream] = time.monotonic() - started

    def tables(self) -> list[list[tuple[object, ...]]]:
        """What is loaded, but for what names the attempt it came from."""
        file = self.data / "warehouse" / "DEF_DB_LOCAL.duckdb"
        with duckdb.connect(str(file), read_only=True) as connection:
            return [
                connection.execute(sql).fetchall()
                for sql in (
                    "select record_key, record_hash, batch_id from bronze.pylon_issues order by all",
                    "select parent_key, record_key, record_hash, batch_id from bronze.pylon_messages order by all",
                    "select stream, batch_id, row_count, window_start, window_end from bronze.ingest_batches order by all",
                    "select stream, batch_id, scope, outcome, row_count from bronze.ingest_coverage order by all",
                )
            ]


@pytest.fixture(scope="module")
def undisturbed(vendors: Vendors, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(vendors, tmp_path_factory.mktemp("undisturbed"))
    shell.load_everything()
    return shell


@pytest.fixture
def shell(vendors: Vendors, tmp_path: Path) -> Shell:
    return Shell(vendors, tmp_path)


def kill_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Whether there was still something to kill."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def moment(chance: random.Random, undisturbed: Shell, verb: str, stream: str) -> float:
    """Some moment of a command, as long as it takes on this machine: from where Python has begun to its end."""
    return chance.uniform(0.4, 1.0) * undisturbed.took[verb, stream]


def test_every_verb_explains_itself(shell: Shell) -> None:
    code, out, _ = shell.run("--help")
    assert code == 0
    for verb in VERBS:
        assert re.search(rf"^    {verb}\b", out, re.MULTILINE)
        assert shell.run(verb, "--help")[0] == 0


def test_a_person_sees_what_is_loaded_and_that_it_agrees(undisturbed: Shell) -> None:
    code, out, _ = undisturbed.run("status")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("pylon_issues ")]
    assert line.split()[1:3] == ["13", "34"]
    assert undisturbed.run("verify")[:2] == (0, "landing, ledger and tables agree\n")
    assert "pylon_messages  " in undisturbed.run("streams")[1]


def test_a_replay_asks_the_vendor_nothing_and_changes_nothing(undisturbed: Shell, vendors: Vendors) -> None:
    before = undisturbed.tables()
    batch = str(before[0][0][2])
    vendors.forget_requests()
    code, out, _ = undisturbed.run("replay", batch)
    assert code == 0
    assert out.startswith(f"{batch}: ")
    assert vendors.requests() == []
    assert undisturbed.tables() == before


def test_verify_names_what_disagrees(undisturbed: Shell, shell: Shell) -> None:
    shutil.copytree(undisturbed.data, shell.data, dirs_exist_ok=True)
    file = shell.data / "warehouse" / "DEF_DB_LOCAL.duckdb"
    with duckdb.connect(str(file)) as connection:
        ((batch,),) = connection.execute("select min(batch_id) from bronze.pylon_issues").fetchall()
        connection.execute("delete from bronze.pylon_issues where batch_id = ?", [batch])
    part = next((shell.data / "landing" / "def" / "pylon_messages").rglob("*.parquet"))
    part.write_bytes(b"x")
    code, _, err = shell.run("verify")
    assert code == 1
    assert f"{batch}: the ledger says" in err
    assert "its checksum differs" in err


def test_a_batch_is_asked_for_again_and_what_it_would_lose_needs_a_word(
    undisturbed: Shell, shell: Shell, vendors: Vendors
) -> None:
    shutil.copytree(undisturbed.data, shell.data, dirs_exist_ok=True)
    with duckdb.connect(str(shell.data / "warehouse" / "DEF_DB_LOCAL.duckdb")) as connection:
        ((batch,),) = connection.execute("select max(batch_id) from bronze.pylon_issues").fetchall()
    now = vendors.now
    vendors.set_clock(now + timedelta(days=90))
    try:
        code, out, err = shell.run("reextract", batch)
        assert (code, out) == (1, "")
        assert f"held: batch {batch} was read again and lacks " in err
        assert shell.tables() == undisturbed.tables()
        code, out, _ = shell.run("reextract", batch, "--allow-shrink")
        assert code == 0
        assert out.startswith(f"{batch}: ")
        assert shell.tables() != undisturbed.tables()
        code, out, _ = shell.run("attempts", "--stream", "pylon_issues")
        assert code == 0
        assert out.count(batch) == 3
        code, out, _ = shell.run("expire", "--days", "0", "--dry-run")
        assert (code, out.count("a later attempt was loaded")) == (0, 2)
        assert shell.run("expire", "--days", "0")[1].splitlines()[-1].startswith("2 attempts removed, ")
        assert shell.run("expire", "--days", "0")[1].splitlines()[-1] == "0 attempts removed, 0 bytes"
        assert shell.run("verify")[0] == 0
    finally:
        vendors.set_clock(now)


def test_deletions_are_looked_for_and_said(undisturbed: Shell, shell: Shell) -> None:
    shutil.copytree(undisturbed.data, shell.data, dirs_exist_ok=True)
    code, out, _ = shell.run("deletions")
    assert code == 0
    assert re.fullmatch(r"every record is where it was\n|def__pylon_issues__\w+: \d+ rows \(before: 0\)\n", out)


def test_a_batch_that_is_not_there_is_answered_with_those_near_it(undisturbed: Shell) -> None:
    code, _, err = undisturbed.run("replay", "def__pylon_issues__20251202T060000Z__20251202T070000Z")
    assert code == 1
    assert err.count("def__pylon_issues__") == 6


@pytest.mark.parametrize("seed", KILLS)
def test_a_kill_in_the_middle_of_an_extraction_leaves_nothing_that_is_read(
    seed: int, shell: Shell, undisturbed: Shell, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(seed)
    assert shell.run("extract", "--stream", "pylon_issues")[0] == 0
    kills = 0
    for _ in range(2):
        at = moment(chance, undisturbed, "extract", "pylon_messages")
        kills += kill_after(shell.start("extract", "--stream", "pylon_messages"), at)
    record_property("kills", kills)
    shell.load_everything()
    assert shell.tables() == undisturbed.tables()
    assert shell.run("verify")[0] == 0


@pytest.mark.parametrize("seed", KILLS)
def test_a_kill_in_the_middle_of_a_load_leaves_whole_batches(
    seed: int, shell: Shell, undisturbed: Shell, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(seed)
    shutil.copytree(undisturbed.data / "landing", shell.data / "landing")
    kills = 0
    for _ in range(2):
        at = moment(chance, undisturbed, "load", "pylon_issues")
        kills += kill_after(shell.start("load", "--stream", "pylon_issues"), at)
        assert shell.run("verify")[0] == 0
    record_property("kills", kills)
    shell.load_everything()
    assert shell.tables() == undisturbed.tables()
    assert shell.run("verify")[0] == 0


def test_a_wrong_token_is_one_sentence_and_exit_2(shell: Shell) -> None:
    shell.environment["AIRFLOW_CONN_PYLON_DEF"] = shell.environment["AIRFLOW_CONN_PYLON_DEF"].replace(
        "sim-pylon-token", "wrong-token"
    )
    code, _, err = shell.run("extract", "--stream", "pylon_tags")
    assert code == 2
    assert err.splitlines()[-1].startswith("configuration: GET ")
    assert "invalid_api_token" in err
    assert "wrong-token" not in err
    assert "Traceback" not in err


def test_no_token_at_all_says_where_to_put_one(shell: Shell) -> None:
    del shell.environment["AIRFLOW_CONN_PYLON_DEF"]
    code, _, err = shell.run("extract", "--stream", "pylon_tags")
    assert code == 2
    assert "connection pylon_def has no token: put the API token in its password field, or set PYLON_DEF_TOKEN" in err


def test_an_address_without_a_scheme_is_one_sentence_and_no_token_goes_out(shell: Shell) -> None:
    connection = json.loads(shell.environment["AIRFLOW_CONN_PYLON_DEF"])
    host = connection["host"].removeprefix("http://")
    shell.environment["AIRFLOW_CONN_PYLON_DEF"] = json.dumps(connection | {"host": host})
    code, _, err = shell.run("extract", "--stream", "pylon_tags")
    assert code == 2
    assert f"connection pylon_def has '{host}' as its host; it must be a whole address, such as https://{host}" in err


def test_an_unknown_stream_or_batch_names_what_there_is(shell: Shell) -> None:
    code, _, err = shell.run("extract", "--stream", "pylon_isues")
    assert code == 2
    assert "has no stream 'pylon_isues'; it has pylon_accounts, " in err
    code, _, err = shell.run("replay", "nonsense")
    assert code == 2
    assert "'nonsense' is not a batch id" in err


def test_a_landing_folder_that_cannot_be_written_is_one_sentence(shell: Shell) -> None:
    (shell.data / "landing").write_text("a file in the place of a folder")
    code, _, err = shell.run("extract", "--stream", "pylon_tags")
    assert code == 1
    assert err.splitlines()[-1].startswith("failed: ")
    assert "Traceback" not in err


def test_a_full_disk_is_one_sentence_and_the_rerun_is_whole(shell: Shell) -> None:
    """A real file system of 40 kB, in a namespace of its own."""
    disk = shell.data / "landing"
    disk.mkdir()
    command = [sys.executable, "-m", "include.bronze", "extract", "--stream", "pylon_issues"]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size=40k tmpfs "{disk}" && exec "$@"', "sh", *command],
        cwd=REPO,
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    shell.load_everything()
    assert shell.run("verify")[0] == 0


def test_who_holds_the_warehouse_is_named_to_who_waits(shell: Shell, undisturbed: Shell) -> None:
    with warehouse_lock(shell.data / "warehouse", "the nightly run"):
        waiting = shell.start("status")
        assert waiting.stderr is not None
        said = waiting.stderr.readline()
    assert f"is in use by the nightly run (pid {os.getpid()}" in said
    waiting.communicate(timeout=60)
    assert waiting.returncode == 0


def test_a_file_somebody_else_has_open_is_named(shell: Shell, undisturbed: Shell) -> None:
    """Somebody who opened the live file without the lock, as one should not."""
    shutil.copytree(undisturbed.data, shell.data, dirs_exist_ok=True)
    file = shell.data / "warehouse" / "DEF_DB_LOCAL.duckdb"
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        code, _, err = shell.run("status")
    finally:
        holder.kill()
        holder.communicate()
    assert code == 1
    assert f"PID {holder.pid}" in err
    assert "Traceback" not in err


def test_progress_is_said_in_lines_where_there_is_no_terminal(shell: Shell) -> None:
    started = time.monotonic()
    code, out, err = shell.run("extract", "--stream", "pylon_issues")
    assert code == 0
    assert out == "pylon_issues: 13 of 13 batches landed\n"
    assert "\r" not in err
    assert len(err.splitlines()) <= 2 + (time.monotonic() - started) / 5
