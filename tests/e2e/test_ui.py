"""`make up`, looked at in a browser."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.conftest import Served
from tests.support.browser import keep, logged_in, seen

pytestmark = pytest.mark.e2e

DAGS = (
    "core_reference",
    "dbt_console",
    "def_refresh",
    "def_support",
    "def_sync_now",
    "maintenance",
    "reconcile_deletes",
    "rerun_batch",
)


@pytest.fixture(scope="module")
def browser(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with logged_in(served.url, served.user, served.password, tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def test_everything_of_the_stack_listens_on_loopback_only(served: Served) -> None:
    listening = [
        connection.laddr.ip
        for process in served.first_run.checkout.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert len(listening) >= 3  # two vendors and the API server
    assert set(listening) == {"127.0.0.1"}


def test_a_port_that_is_taken_is_said(served: Served, tmp_path: Path) -> None:
    port = served.url.rsplit(":", 1)[1]

    result = served.first_run.checkout.make("up", f"PORT={port}", timeout=30, SUPPORT_DATA_DIR=str(tmp_path))

    assert result.returncode == 2
    assert f"port {port} on 127.0.0.1 is taken by another program; choose another" in result.stderr


def test_no_one_gets_in_without_the_password(served: Served) -> None:
    refused = requests.post(f"{served.url}/auth/token", json={"username": "admin", "password": "admin"}, timeout=30)

    assert refused.status_code == 401
    assert requests.get(f"{served.url}/api/v2/dags", timeout=30).status_code == 401


def test_pools_connections_and_dags_are_registered(served: Served) -> None:
    body = {"username": served.user, "password": served.password}
    token = requests.post(f"{served.url}/auth/token", json=body, timeout=30).json()["access_token"]

    def listed(path: str, key: str) -> list[dict[str, object]]:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{served.url}/api/v2/{path}", headers=headers, timeout=30).json()
        found: list[dict[str, object]] = answer[key]
        return found

    pools = {pool["name"]: pool["slots"] for pool in listed("pools", "pools")}
    assert (pools["warehouse"], pools["pylon_def"], pools["plain_def"]) == (1, 4, 4)
    assert {"pylon_def", "plain_def"} <= {c["connection_id"] for c in listed("connections", "connections")}
    assert {d["dag_id"]: d["is_paused"] for d in listed("dags", "dags")} == dict.fromkeys(DAGS, False)
    assert listed("importErrors", "import_errors") == []


def test_the_list_of_dags_shows_no_import_error(served: Served, browser: webdriver.Chrome) -> None:
    browser.get(f"{served.url}/dags")
    WebDriverWait(browser, 60).until(expected.presence_of_element_located((By.LINK_TEXT, "def_support")))

    keep(browser, "dags")
    page = browser.find_element(By.TAG_NAME, "body").text
    assert "core_reference" in page
    assert "import error" not in page.lower()


def test_the_graph_shows_the_way_from_silver_to_the_report(served: Served, browser: webdriver.Chrome) -> None:
    browser.get(f"{served.url}/dags/def_support")
    seen(browser, "button[aria-label^='Show Graph']").click()
    seen(browser, "button[aria-label='Expand all task groups']").click()
    expanded = (
        By.CSS_SELECTOR,
        "[data-testid='rf__node-dbt.fct_def_tickets.run'], [data-id='dbt.fct_def_tickets.run']",
    )
    WebDriverWait(browser, 60).until(expected.presence_of_element_located(expanded))
    seen(browser, "button[aria-label='Fit View']").click()

    keep(browser, "graph")
    nodes = {node.get_attribute("data-id") for node in browser.find_elements(By.CSS_SELECTOR, ".react-flow__node")}
    assert {
        "plan",
        "pylon.extract_issues",
        "pylon.load",
        "build",
        "dbt.def_pylon_issues.run",
        "dbt.fct_def_tickets.run",
        "dbt.agg_def_ticket_activity_channel_daily.run",
        "dbt.rpt_def_support_tickets_daily.run",
        "publish",
    } <= nodes


def test_ctrl_c_ends_all_of_it(served: Served, browser: webdriver.Chrome) -> None:
    (master,) = psutil.Process(served.process.pid).children()
    master.send_signal(signal.SIGINT)

    served.process.wait(timeout=60)
    assert served.first_run.checkout.processes() == []
