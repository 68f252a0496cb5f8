"""A small client of Airflow's public REST API, as much of it as the local commands need."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from include.local.folder import StackError

ENDED = ("success", "failed")


class ApiError(StackError):
    """Airflow answered with something else than was asked for, or not at all."""

    def __init__(self, method: str, path: str, status: int, detail: str) -> None:
        super().__init__(f"Airflow answered {status} to {method} {path}: {detail}" if status else detail)
        self.status = status


@dataclass(frozen=True)
class Task:
    """One task instance of a run, as far as it is shown."""

    task_id: str
    map_index: int
    state: str | None
    try_number: int
    start: datetime | None
    end: datetime | None
    note: str | None

    @property
    def name(self) -> str:
        return self.task_id if self.map_index < 0 else f"{self.task_id} [{self.map_index}]"

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds() if self.start and self.end else 0.0


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


class Airflow:
    """One Airflow, addressed as one of its users."""

    def __init__(self, url: str, user: str, password: str, timeout: float = 30) -> None:
        self.url = url
        self.user = user
        self._password = password
        self._timeout = timeout
        self._session = requests.Session()
        # A proxy or a .netrc of the person's machine has no business between two processes of the same machine.
        self._session.trust_env = False

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One request; the answer's JSON. Logs in on first use and when the token has expired."""
        if "Authorization" not in self._session.headers:
            self._log_in()
        for patience in (0.2, 0.5, 1.0, 2.0, 0.0):
            answer = self._request(method, "/api/v2" + path, body, query)
            if answer.status_code == 401:
                self._log_in()
            elif answer.status_code < 500 or not patience:
                break
            # SQLite refuses a transaction that read what another has changed since; the same again succeeds.
            time.sleep(patience)
        return self._read(answer, method, path)

    def _log_in(self) -> None:
        answer = self._request("POST", "/auth/token", {"username": self.user, "password": self._password}, {})
        token = self._read(answer, "POST", "/auth/token")["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def _request(self, method: str, path: str, body: Any, query: dict[str, Any]) -> requests.Response:
        try:
            return self._session.request(method, self.url + path, json=body, params=query, timeout=self._timeout)
        except requests.RequestException as error:
            raise ApiError(method, path, 0, f"no answer from {self.url} ({type(error).__name__})") from error

    def _read(self, answer: requests.Response, method: str, path: str) -> Any:
        if not answer.ok:
            try:
                detail = str(answer.json().get("detail", answer.text))
            except ValueError:
                detail = answer.text
            raise ApiError(method, path, answer.status_code, detail[:500])
        return answer.json() if answer.content else None

    def close(self) -> None:
        """Hang up: the server's polite ending waits for open connections."""
        self._session.close()

    def found(self, path: str) -> Any:
        """What is at this path, or None when nothing is."""
        try:
            return self.call("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def is_up(self) -> bool:
        """Whether it answers. Asking the part that serves tasks makes it load now, not under the first task."""
        try:
            return self._request("GET", "/execution/health", None, {}).ok
        except ApiError:
            return False

    def import_errors(self) -> list[dict[str, str]]:
        """DAG files that do not import: file name and stack trace."""
        errors: list[dict[str, str]] = self.call("GET", "/importErrors", limit=100)["import_errors"]
        return errors

    def runs(self, dag_id: str, **query: Any) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = self.call("GET", f"/dags/{dag_id}/dagRuns", limit=1000, **query)["dag_runs"]
        return runs

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run, out of the list: asked for one by itself, Airflow reads each of its tasks to name their versions."""
        found = self.runs(dag_id, run_id_prefix_pattern=run_id)
        run = next((run for run in found if run["dag_run_id"] == run_id), None)
        if run is None:
            raise ApiError("GET", f"/dags/{dag_id}/dagRuns/{run_id}", 404, "there is no such run")
        return run

    def tasks(self, dag_id: str, run_id: str) -> list[Task]:
        """Every task instance of a run."""
        answer = self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=1000)
        return [
            Task(
                task["task_id"],
                task["map_index"],
                task["state"],
                task["try_number"],
                _time(task["start_date"]),
                _time(task["end_date"]),
                task.get("note"),
            )
            for task in answer["task_instances"]
        ]
