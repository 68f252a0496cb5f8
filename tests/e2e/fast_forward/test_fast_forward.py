"""What fast-forward promises (docs/fast-forward.md), each on a real scheduler, with a small dbt project of its own."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

from include.local.credentials import ADMIN, FAST_FORWARD
from tests.e2e.fast_forward.stack import Run, TinyStack, running, start
from tests.support.browser import keep, logged_in

pytestmark = pytest.mark.e2e

MODELS = {"letters", "first", "left_side", "right_side", "joined", "last", "waits"}
ONCE = dict.fromkeys(MODELS, 1)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyStack]:
    data = tmp_path_factory.mktemp("fast_forward")
    before = os.environ.get("SUPPORT_DATA_DIR")
    os.environ["SUPPORT_DATA_DIR"] = str(data)
    try:
        with running(data) as started:
            yield started
    finally:
        del os.environ["SUPPORT_DATA_DIR"]
        if before is not None:
            os.environ["SUPPORT_DATA_DIR"] = before


@contextmanager
def switched(stack: TinyStack, *names: str) -> Iterator[None]:
    """Make what is so named fail as long as the block lasts."""
    files = [stack.place.data / "switches" / name for name in names]
    for file in files:
        file.touch()
    try:
        yield
    finally:
        for file in files:
            file.unlink()


def connect(stack: TinyStack, name: str, host: str, password: str) -> None:
    """Make a connection, or change it."""
    body = {"connection_id": name, "conn_type": "http", "host": host, "login": FAST_FORWARD, "password": password}
    if stack.api.found(f"/connections/{name}"):
        stack.api.call("PATCH", f"/connections/{name}", body)
    else:
        stack.api.call("POST", "/connections", body)


@contextmanager
def listening(status: int = 200) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that logs everyone in, answers everything else with this status, and keeps what it was sent."""
    posted: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            logs_in = self.path == "/auth/token"
            if not logs_in:
                posted.append(body)
            answer = b'{"access_token": "t"}' if logs_in else b"{}"
            self.send_response(201 if logs_in else status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PATCH = answer

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", posted
    finally:
        server.shutdown()
        server.server_close()


def rows(stack: TinyStack, table: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(stack.place.data / "warehouse" / "tiny.duckdb"), read_only=True) as connection:
        return connection.execute(f"select * from {table} order by all").fetchall()


def tries(run: Run) -> dict[str, int]:
    """The tasks that a process was started for, and how often. One that is closed by the build has none."""
    return {name: t.try_number for name, t in run.tasks().items() if t.try_number and name != "inlined_run"}


def states(run: Run) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, task in run.tasks().items():
        found.setdefault(str(task.state), set()).add(name)
    return found


# -- a run in which everything is green, and what is cleared of it afterwards


@pytest.fixture(scope="module")
def green(stack: TinyStack) -> Run:
    return start(stack).wait()


def test_every_task_is_closed_and_none_is_started(stack: TinyStack, green: Run) -> None:
    assert green.state() == "success"
    assert tries(green) == {"build": 1}
    assert green.events() == ONCE
    assert rows(stack, "joined") == [(1, "aA"), (2, "bB"), (3, "cC")]


def test_a_closed_task_says_what_built_it(green: Run) -> None:
    tasks = green.tasks()
    model, test = str(tasks["joined_run"].note).splitlines(), str(tasks["first.test"].note).splitlines()
    by = f", by task build of run {green.run_id} (try 1)."
    assert model[0].startswith("Built in ")
    assert model[0].endswith(f" s, 3 rows{by}")
    assert model[1] == "model.tiny.joined: OK"
    assert test[0].endswith(f" s{by}")
    assert [line.rsplit(".", 1)[0] for line in test[1:]] == ["test.tiny.not_null_first_id", "test.tiny.unique_first_id"]


def test_a_cleared_model_runs_by_itself(green: Run) -> None:
    before = tries(green)
    green.clear("right_side.run")
    assert green.state() == "success"
    assert tries(green) == before | {"right_side.run": 1}
    assert green.events()["right_side"] == 2


def test_a_model_cleared_with_what_is_downstream_runs_with_it_in_order(green: Run) -> None:
    before = tries(green)
    green.clear("joined_run", downstream=True)
    assert green.state() == "success"
    own = {"joined_run", "last_run", "relationships_joined_id__id__ref_first__test"}
    assert tries(green) == before | dict.fromkeys(own, 1)
    tasks = green.tasks()
    ends = [tasks[name].end for name in ("joined_run", "relationships_joined_id__id__ref_first__test", "last_run")]
    assert ends == sorted(ends, key=str)


def test_what_is_cleared_with_the_build_is_built_in_one_go(green: Run) -> None:
    before, events = tries(green), green.events()
    green.clear("build", "left_side.run", "left_side.test", "joined_run")
    assert green.state() == "success"
    assert tries(green) == before | {"build": 2}
    again = {name for name, node in green.journal().items() if "(try 2)" in node.built_by}
    assert {name.split("_id")[0] for name in again} == {"left_side", "not_null_left_side", "joined"}
    assert green.events() == events | {"left_side": 2, "joined": 3}


# -- failures


@dataclass
class Failed:
    """A run with a model and a test that fail always, and what was posted to the people who want to know."""

    run: Run
    note: str
    posted: list[dict[str, str]]


@pytest.fixture(scope="module")
def failed(stack: TinyStack) -> Failed:
    with listening() as (url, posted), switched(stack, "left_side.fails", "right_side_is_good.fails"):
        connect(stack, "support_alerts", url, "")
        try:
            run = start(stack).wait()
        finally:
            stack.api.call("DELETE", "/connections/support_alerts")
        return Failed(run, str(stack.api.call("GET", run.path)["note"]), posted)


def test_a_model_that_fails_is_red_itself_and_what_is_downstream_is_not_run(failed: Failed) -> None:
    assert failed.run.state() == "failed"
    seen = states(failed.run)
    assert seen["failed"] == {"left_side.run", "right_side.test"}
    assert seen["upstream_failed"] == {
        *("left_side.test", "inlined_run", "joined_run", "last_run", "waits_run"),
        "relationships_joined_id__id__ref_first__test",
    }
    assert "left_side was told to fail" in failed.run.log("left_side.run", 2)


def test_a_test_that_fails_is_red_itself_and_its_model_is_green(failed: Failed) -> None:
    tasks = failed.run.tasks()
    assert tasks["right_side.run"].state == "success"
    assert tries(failed.run) == {"build": 2, "left_side.run": 2, "right_side.test": 2}


def test_each_failure_is_told_once_on_the_run_and_at_the_webhook(failed: Failed) -> None:
    told = sorted(failed.posted, key=lambda alert: alert["what"])
    assert [alert["what"].split(" failed")[0] for alert in told] == [
        "dbt.left_side.run of ff",
        "dbt.right_side.test of ff",
    ]
    assert all("(try 2" in alert["what"] for alert in told)
    assert all("a model's SQL failed, or a test found rows" in alert["cause"] for alert in told)
    assert all("/tasks/dbt." in alert["link"] for alert in told)
    for alert in told:
        assert failed.note.count(alert["what"]) == 1


def test_events_tell_of_what_is_green_and_of_nothing_else(failed: Failed) -> None:
    assert failed.run.events() == dict.fromkeys(("letters", "first", "right_side"), 1)


def test_a_failed_run_is_healed_by_one_build_of_what_is_open(failed: Failed) -> None:
    before = tries(failed.run)
    failed.run.clear("build", *(states(failed.run)["failed"] | states(failed.run)["upstream_failed"]))
    assert failed.run.state() == "success"
    assert tries(failed.run) == before | {"build": 3}
    assert failed.run.events() == ONCE


def test_a_model_that_fails_in_the_build_only_is_healed_by_its_own_task(stack: TinyStack) -> None:
    with switched(stack, "last.fails_in_build"):
        run = start(stack).wait()
    assert run.state() == "success"
    assert tries(run) == {"build": 2, "last_run": 1}
    assert run.events() == ONCE


def test_a_build_that_is_killed_goes_on_where_it_was(stack: TinyStack) -> None:
    held = stack.place.data / "switches" / "waits"
    held.unlink()
    os.mkfifo(held)
    try:
        run = start(stack)
        deadline = time.monotonic() + 120
        while run.tasks()["right_side.test"].state != "success":
            assert time.monotonic() < deadline, run.tasks()
            time.sleep(0.1)
        os.kill(json.loads((stack.place.data / "warehouse" / "warehouse.lock").read_text())["pid"], signal.SIGKILL)
    finally:
        held.unlink()
        held.touch()
    run.wait()
    assert run.state() == "success"
    assert tries(run) == {"build": 2}
    built = run.journal()
    assert "(try 1)" in built["right_side"].built_by
    assert "(try 2)" in built["waits"].built_by
    assert run.events() == ONCE


# -- Airflow's own API


OF_THE_BEGINNING = {"letters_seed", "first.run", "first.test"}


def test_without_a_connection_every_task_runs_by_itself_with_the_same_result(stack: TinyStack) -> None:
    run = start(stack, "ff_beginning").wait()
    assert run.state() == "success"
    assert tries(run) == {"build": 1} | dict.fromkeys(OF_THE_BEGINNING, 1)
    assert "connection ff_api is not configured" in run.log("build")
    assert rows(stack, "first") == [(1, "a"), (2, "b"), (3, "c")]
    assert run.events() == {"first": 1}  # Cosmos' own task of a seed gives out none


def test_a_wrong_password_fails_the_build_at_once_and_nothing_runs_slowly(stack: TinyStack) -> None:
    connect(stack, "ff_api", stack.api.url, "wrong")
    run = start(stack, "ff_beginning").wait()
    assert states(run) == {"failed": {"build"}, "upstream_failed": OF_THE_BEGINNING}
    assert tries(run) == {"build": 1}
    assert f"Airflow did not accept user '{FAST_FORWARD}' (HTTP 401); correct the connection ff_api" in run.log("build")
    assert run.journal() == {}

    connect(stack, "ff_api", stack.api.url, stack.secrets.passwords[FAST_FORWARD])
    run.clear("build", downstream=True)
    assert run.state() == "success"
    assert tries(run) == {"build": 2}


@pytest.mark.parametrize(
    ("status", "tried", "sentence"),
    [
        (403, 1, f"Airflow does not let user '{FAST_FORWARD}' do PATCH"),
        (500, 2, "gave HTTP 500"),
    ],
)
def test_an_api_that_refuses_fails_the_build_and_nothing_runs_slowly(
    stack: TinyStack, status: int, tried: int, sentence: str
) -> None:
    with listening(status) as (url, _):
        connect(stack, "ff_api", url, "any")
        run = start(stack, "ff_beginning").wait()
    assert states(run) == {"failed": {"build"}, "upstream_failed": OF_THE_BEGINNING}
    assert tries(run) == {"build": tried}
    assert sentence in run.log("build", tried)
    assert run.events() == {}


def test_a_run_that_is_late_says_so_while_it_goes_on(stack: TinyStack) -> None:
    """The second DAG's deadline is a second; no run of it has ended by then."""
    notes = [run["note"] or "" for run in stack.api.runs("ff_beginning")]
    assert notes
    for note in notes:
        assert note.count("of ff_beginning has missed its deadline of") == 1


# -- what a closed task links to


def page_of(stack: TinyStack, run: Run, task_id: str) -> str:
    answer = stack.api.call("GET", f"{run.path}/taskInstances/{task_id}/links")
    return str(answer["extra_links"]["SQL and build log"])


def test_every_dbt_task_links_to_its_sql_and_its_part_of_the_builds_log(stack: TinyStack, green: Run) -> None:
    found = {name: page_of(stack, green, name) for name in ("dbt.joined_run", "dbt.first.test", "dbt.letters_seed")}
    anyone = requests.get(found["dbt.joined_run"], timeout=30)
    assert anyone.status_code == 401
    body = {"username": ADMIN, "password": stack.secrets.passwords[ADMIN]}
    token = requests.post(f"{stack.api.url}/auth/token", json=body, timeout=30).json()["access_token"]
    pages = {
        name: requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30) for name, url in found.items()
    }
    assert {page.status_code for page in pages.values()} == {200}
    assert all("sandbox; default-src 'none'" in page.headers["Content-Security-Policy"] for page in pages.values())
    assert "upper(letter)" not in pages["dbt.joined_run"].text
    assert "l.letter || r.letter as letters" in pages["dbt.joined_run"].text
    assert "created sql table model main.joined" in pages["dbt.joined_run"].text
    assert "not_null_first_id" in pages["dbt.first.test"].text
    assert "unique_first_id" in pages["dbt.first.test"].text
    assert "INSERT 3" in pages["dbt.letters_seed"].text


def test_the_link_is_there_for_people_and_shows_the_page(
    stack: TinyStack, green: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    admin = (ADMIN, stack.secrets.passwords[ADMIN])
    with logged_in(stack.api.url, *admin, tmp_path_factory.mktemp("chromium")) as browser:
        browser.get(f"{stack.api.url}/dags/ff/runs/{quote(green.run_id)}/tasks/dbt.first.test/details")
        link = WebDriverWait(browser, 60).until(
            expected.element_to_be_clickable((By.XPATH, "//a[contains(., 'SQL and build log')]"))
        )
        keep(browser, "fast_forward_task")
        browser.get(str(link.get_attribute("href")))
        keep(browser, "fast_forward_page")
        page = browser.find_element(By.TAG_NAME, "body").text
    assert page.startswith("dbt.first.test of ff")
    assert "pass in " in page
    assert "PASS unique_first_id" in page


def test_nothing_is_left_of_a_build_but_its_journal(stack: TinyStack, green: Run) -> None:
    kept = green.journal()
    assert kept["joined"].sql.strip().startswith("with")
    assert kept["joined"].rows == 3
    assert any("created sql table model main.joined" in line for line in kept["joined"].log)
    files = {path.name for path in (stack.place.data / "dbt" / "runs" / "ff" / green.run_id).iterdir()}
    assert files == {"nodes.jsonl", "run_results.json"}


def test_the_project_folder_stays_as_it_was(stack: TinyStack) -> None:
    here = {path.name for path in (Path(__file__).parent / "project").iterdir()}
    assert {path.name for path in (stack.place.data / "tiny").iterdir()} == here
