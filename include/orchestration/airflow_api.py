"""The few calls this project makes to Airflow's own public REST API."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import requests

log = logging.getLogger(__name__)

TIMEOUT = (5.0, 60.0)
# Airflow keeps no longer note than this.
LONGEST_NOTE = 1000
_CLOSED_ALREADY = requests.codes.conflict
_REFUSALS = (requests.codes.unauthorized, requests.codes.forbidden)


class AirflowApiError(RuntimeError):
    """Airflow's API did not do what was asked."""


class AirflowRefusedError(AirflowApiError):
    """Airflow's API will not let this user do what was asked: asking again cannot help."""


def from_connection(conn_id: str = "airflow_api") -> AirflowApi | None:
    """Airflow's API as a connection describes it, None where there is no such connection."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return None
    return AirflowApi(connection.host or "", connection.login, connection.password or "", conn_id)


class AirflowApi:
    """A session with one Airflow. A login and a password are exchanged for a token; a password alone is one."""

    def __init__(self, base_url: str, login: str | None, password: str, conn_id: str = "airflow_api") -> None:
        self._base, self._conn_id = base_url.rstrip("/"), conn_id
        self._login, self._password = login, password
        self._session = requests.Session()
        self._session.trust_env = False
        self._authorized = False

    def log_in(self) -> None:
        """Find out now whether the connection is good, before anything else is done."""
        if not self._authorized:
            self._authorize()

    def close_tasks(self, dag_id: str, run_id: str, notes: Mapping[str, str]) -> None:
        """Mark tasks of a run as successful, each with its note, in one call."""
        entities = [
            {"task_id": task_id, "map_index": -1, "new_state": "success", "note": note}
            for task_id, note in notes.items()
        ]
        path = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        errors = self._update(path, [entities])
        if _CLOSED_ALREADY in [error.get("status_code") for error in errors]:
            # Airflow stops at the first one that is closed already, and leaves those after it open: now each by itself.
            errors = self._update(path, [[entity] for entity in entities])
        refused = [error for error in errors if error.get("status_code") != _CLOSED_ALREADY]
        if refused:
            kind = AirflowRefusedError if refused[0].get("status_code") in _REFUSALS else AirflowApiError
            raise kind(f"Airflow refused to close {len(refused)} of {len(notes)} tasks: {refused[0]}")

    def _update(self, path: str, groups: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """Update groups of tasks. Says what went wrong; an error ends its group."""
        action = {"action": "update", "action_on_non_existence": "skip"}
        answer = self._call("PATCH", path, {"actions": [{**action, "entities": group} for group in groups]})
        errors: list[dict[str, Any]] = answer.get("update", {}).get("errors", [])
        return errors

    def note_run(self, dag_id: str, run_id: str, note: str) -> None:
        """Put a note on a run, in the place of the one it has."""
        path = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"
        self._call("PATCH", path, {"note": note[:LONGEST_NOTE]})

    def add_to_run_note(self, dag_id: str, run_id: str, note: str) -> None:
        """Put a paragraph after what is on a run's note, as far as there is room."""
        path = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"
        there = self._call("GET", path).get("note")
        self.note_run(dag_id, run_id, f"{there}\n\n{note}" if there else note)

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        self.log_in()
        response = self._session.request(method, self._base + path, json=body, timeout=TIMEOUT)
        if response.status_code == requests.codes.unauthorized and self._login:
            self._authorize()
            response = self._session.request(method, self._base + path, json=body, timeout=TIMEOUT)
        if response.status_code in _REFUSALS:
            raise AirflowRefusedError(
                f"Airflow does not let user '{self._login or 'of the token'}' do {method} {path} "
                f"(HTTP {response.status_code}); correct the connection {self._conn_id}, or what its user may do"
            )
        if not response.ok:
            raise AirflowApiError(f"{method} {path} gave HTTP {response.status_code}: {response.text[:300]}")
        answer: dict[str, Any] = response.json()
        return answer

    def _authorize(self) -> None:
        token = self._password
        if self._login:
            response = self._session.post(
                f"{self._base}/auth/token",
                json={"username": self._login, "password": self._password},
                timeout=TIMEOUT,
            )
            if response.status_code in _REFUSALS:
                raise AirflowRefusedError(
                    f"Airflow did not accept user '{self._login}' (HTTP {response.status_code}); "
                    f"correct the connection {self._conn_id}"
                )
            if not response.ok:
                raise AirflowApiError(f"POST /auth/token gave HTTP {response.status_code}: {response.text[:300]}")
            token = response.json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._authorized = True


def retrying(
    action: Callable[[], None],
    *,
    pauses: Iterable[float] = (0.5, 1.0, 2.0, 4.0),
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Do something that may fail for a moment; after the last pause its error is final."""
    for pause in pauses:
        try:
            return action()
        except AirflowRefusedError:
            raise
        except (AirflowApiError, requests.RequestException) as error:
            log.warning("%s; trying again in %.1f s", error, pause)
            sleep(pause)
    return action()
