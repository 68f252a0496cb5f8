"""Closing tasks through Airflow's API, against a real HTTP server on loopback."""

from __future__ import annotations

import pytest

from include.orchestration.airflow_api import AirflowApi, AirflowApiError, AirflowRefusedError, retrying
from tests.support.scripted_server import Scripted, scripted_server

DONE = {"update": {"success": ["x"], "errors": []}}


def token(server: Scripted) -> Scripted:
    return server.reply({"access_token": "t"}, 201)


def test_tasks_are_closed_in_one_call_with_their_notes() -> None:
    with scripted_server() as server:
        token(server).reply(DONE)
        AirflowApi(server.url, "ff", "pw").close_tasks("d", "manual__2026-01-05T06:20:00+00:00", {"dbt.a.run": "n"})
    (login, close) = server.asked
    assert login == ("POST", "/auth/token", {"username": "ff", "password": "pw"})
    assert close[:2] == ("PATCH", "/api/v2/dags/d/dagRuns/manual__2026-01-05T06%3A20%3A00%2B00%3A00/taskInstances")
    (action,) = close[2]["actions"]
    assert action == {
        "action": "update",
        "action_on_non_existence": "skip",
        "entities": [{"task_id": "dbt.a.run", "map_index": -1, "new_state": "success", "note": "n"}],
    }


def test_a_password_without_a_login_is_the_token_itself() -> None:
    with scripted_server("deployment-token") as server:
        server.reply(DONE)
        AirflowApi(server.url, None, "deployment-token").close_tasks("d", "r", {"a": "n"})
    assert [method for method, _, _ in server.asked] == ["PATCH"]


def test_an_expired_token_is_renewed_once() -> None:
    with scripted_server() as server:
        token(server).reply({}, 401)
        token(server).reply(DONE)
        AirflowApi(server.url, "ff", "pw").close_tasks("d", "r", {"a": "n"})
    assert len(server.asked) == 4


def test_a_task_that_is_closed_already_is_no_error_and_keeps_none_of_the_others_open() -> None:
    conflict = {"update": {"success": [], "errors": [{"error": "same state", "status_code": 409}]}}
    with scripted_server() as server:
        token(server).reply(conflict).reply(conflict)
        AirflowApi(server.url, "ff", "pw").close_tasks("d", "r", {"a": "n", "b": "m"})
    groups = [[[e["task_id"] for e in act["entities"]] for act in body["actions"]] for _, _, body in server.asked[1:]]
    assert groups == [[["a", "b"]], [["a"], ["b"]]]


def test_any_other_error_of_a_task_is_one() -> None:
    with scripted_server() as server:
        token(server).reply({"update": {"success": [], "errors": [{"error": "no", "status_code": 500}]}})
        with pytest.raises(AirflowApiError, match="refused to close 1 of 1 tasks"):
            AirflowApi(server.url, "ff", "pw").close_tasks("d", "r", {"a": "n"})


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_told_apart_and_not_tried_again(status: int) -> None:
    with scripted_server() as server:
        token(server).reply({"detail": "no"}, status)
        if status == 401:  # the token may have expired: it is renewed once
            token(server).reply({"detail": "no"}, status)
        api = AirflowApi(server.url, "ff", "pw")
        with pytest.raises(AirflowRefusedError, match="does not let user 'ff' do PATCH"):
            retrying(lambda: api.close_tasks("d", "r", {"a": "n"}), sleep=pytest.fail)
    assert server.script == []


def test_a_wrong_password_names_the_connection_to_correct() -> None:
    with scripted_server() as server:
        server.reply({"detail": "no"}, 401)
        with pytest.raises(AirflowApiError, match="did not accept user 'ff' .*correct the connection airflow_api"):
            AirflowApi(server.url, "ff", "pw").close_tasks("d", "r", {"a": "n"})


def test_a_passing_failure_is_tried_again_and_a_lasting_one_is_raised() -> None:
    failures = [AirflowApiError("one"), AirflowApiError("two")]
    slept: list[float] = []

    def action() -> None:
        if failures:
            raise failures.pop(0)

    retrying(action, pauses=(0.5, 1.0), sleep=slept.append)
    assert slept == [0.5, 1.0]
    failures[:] = [AirflowApiError("one"), AirflowApiError("two"), AirflowApiError("three")]
    with pytest.raises(AirflowApiError, match="three"):
        retrying(action, pauses=(0.5, 1.0), sleep=slept.append)
