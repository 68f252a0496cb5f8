"""What is said of a failed task and of a late run, and what becomes of it when nobody listens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from include.bronze.sources.http import RefusedError
from include.orchestration import alerts
from include.orchestration.airflow_api import AirflowRefusedError
from include.orchestration.dbt_call import DbtError
from include.orchestration.forms import FormError
from include.settings import ConfigurationError
from tests.support.scripted_server import scripted_server

BATCH = "def__pylon_issues__20260104T060000Z__20260105T060000Z"
OTHER = "def__pylon_issues__20260105T060000Z__20260106T060000Z"


def context(task_id: str, error: Exception | None, *called_with: Any) -> dict[str, Any]:
    run = SimpleNamespace(
        dag_id="def_support", run_id="r", data_interval_end=datetime(2026, 1, 5, 6, tzinfo=UTC), run_type="scheduled"
    )
    ti = SimpleNamespace(task_id=task_id, dag_id="def_support", try_number=3, log_url="http://airflow/log")
    task = SimpleNamespace(op_args=called_with, op_kwargs={})
    return {"ti": ti, "task": task, "dag_run": run, "exception": error}


def test_a_failed_load_names_its_batch_and_how_to_load_it_again() -> None:
    failed = context("pylon_issues.extract", RefusedError("401 for GET /me\nand more"), "pylon_issues", [{"x": BATCH}])
    assert alerts.failure(failed).text.splitlines() == [
        "pylon_issues.extract of def_support failed (try 3): 401 for GET /me",
        f"batches: {BATCH}",
        "likely: the vendor refuses the token, or it lacks a permission",
        f"to do: clear the task, or trigger rerun_batch with {BATCH}",
        "http://airflow/log",
    ]


def test_a_failed_model_names_the_night_and_what_to_clear() -> None:
    alert = alerts.failure(context("dbt.fct_def_tickets.run", DbtError("boom")))
    assert alert.what == "dbt.fct_def_tickets.run of def_support failed (try 3, the night to 2026-01-05 06:00 UTC)"
    assert "a model's SQL failed" in alert.cause
    assert "downstream" in alert.remedy


def test_a_form_that_makes_no_sense_is_to_be_filled_in_again() -> None:
    alert = alerts.failure(context("check", FormError("command is 'drop'; choose one of build, run")))
    assert "the message names the field" in alert.cause
    assert alert.remedy.startswith("trigger the DAG again")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (AirflowRefusedError("no"), "refuses the connection"),
        (ConfigurationError("x is wrong"), "a setting is wrong"),
        (KeyError("x"), alerts.UNKNOWN),
        (None, alerts.UNKNOWN),
    ],
)
def test_the_cause_is_that_of_the_most_special_kind(error: Exception | None, cause: str) -> None:
    assert cause in alerts.likely_cause(error)


def test_a_cause_that_was_wrapped_is_found() -> None:
    outer = RuntimeError("outer")
    outer.__cause__ = RefusedError("no")
    assert "refuses the token" in alerts.likely_cause(outer)


def test_batches_are_found_wherever_they_are_and_once() -> None:
    assert alerts.batches_in(({"a": [BATCH, "pylon_issues", 1]}, {"b": {"c": OTHER}}, BATCH)) == [BATCH, OTHER]


def posted(monkeypatch: pytest.MonkeyPatch, url: str, *, password: str | None = None) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_SUPPORT_ALERTS", json.dumps({"conn_type": "http", "host": url, "password": password})
    )
    alerts.FailureNotifier()(context("dbt.a.run", DbtError("boom")))


def test_a_webhook_is_told_once_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AIRFLOW_API", raising=False)
    with scripted_server(token="t") as server:
        posted(monkeypatch, server.reply({}).url + "/services/x", password="t")
    ((method, path, body),) = server.asked
    assert (method, path) == ("POST", "/services/x")
    assert body["what"].startswith("dbt.a.run of def_support failed")
    assert body["text"].startswith(body["what"])
    assert (body["dag_id"], body["run_id"]) == ("def_support", "r")


def test_a_batch_that_waits_for_a_person_is_told_of_and_one_that_is_loaded_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_AIRFLOW_API", raising=False)
    loads = {
        "pylon_users": {"loaded": [], "held": [{"batch_id": BATCH, "reason": "it lacks 30 of 100 records"}]},
        "pylon_issues": {"loaded": [{"batch_id": OTHER}], "held": []},
    }
    with scripted_server() as server:
        monkeypatch.setenv(
            "AIRFLOW_CONN_SUPPORT_ALERTS", json.dumps({"conn_type": "http", "host": server.reply({}).url})
        )
        alerts.tell_of_held(loads, context("load", None))
    ((_, _, body),) = server.asked
    assert body["text"].splitlines()[:2] == [
        f"{BATCH} was not loaded: it lacks 30 of 100 records",
        f"batches: {BATCH}",
    ]
    assert f"include.bronze approve {BATCH}" in body["remedy"]


def test_a_webhook_that_fails_makes_nothing_worse_and_its_address_stays_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with scripted_server() as server:
        posted(monkeypatch, server.reply({}, 500).url + "/services/s3cret")
    assert len(server.asked) == 1
    assert "could not be told by connection support_alerts (HTTPError)" in caplog.text
    assert "s3cret" not in caplog.text


def test_the_runs_note_keeps_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server() as server:
        server.reply({"access_token": "t"}, 201).reply({"note": "before"}).reply({})
        monkeypatch.setenv(
            "AIRFLOW_CONN_AIRFLOW_API",
            json.dumps({"conn_type": "http", "host": server.url, "login": "ff", "password": "pw"}),
        )
        alerts.deadline_missed({"dag_run": {"dag_id": "d", "dag_run_id": "r"}}, hours=3)
    method, path, body = server.asked[-1]
    assert (method, path) == ("PATCH", "/api/v2/dags/d/dagRuns/r")
    assert body["note"].startswith("before\n\nr of d has missed its deadline of 3 h and is still under way\n")
