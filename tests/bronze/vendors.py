"""The simulated vendors as a test drives them, and what they hold, asked for in the plainest way there is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from include.bronze.batch import Window, iso
from include.bronze.steps import Bronze, Connection
from include.settings import CLIENTS_DIR, REPO, Settings, load_settings

PYLON_TOKEN, PLAIN_TOKEN = "sim-pylon-token", "plainApiKey_sim"
NIGHT = timedelta(days=1)
THREADS = """query ($after: String) { threads(first: 100, after: $after) {
  edges { node { id updatedAt { iso8601 } } } pageInfo { hasNextPage endCursor } } }"""
TIMELINE = """query ($thread: ID!, $after: String) { thread(threadId: $thread) { timelineEntries(first: 100, after: $after) {
  edges { node { id } } pageInfo { hasNextPage endCursor } } } }"""


@dataclass
class Vendors:
    """A running simulator, its clock and its faults."""

    data_dir: Path
    pylon: str
    plain: str

    def _sim(self, method: str, path: str, body: Any = None) -> Any:
        reply = requests.request(method, f"{self.pylon}/_sim/{path}", json=body, timeout=30)
        reply.raise_for_status()
        return reply.json() if reply.content else None

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self._sim("GET", "clock")["now"])

    def set_clock(self, at: datetime) -> None:
        self._sim("POST", "clock", {"now": iso(at)})

    def advance(self, by: timedelta) -> None:
        self._sim("POST", "clock", {"advance_seconds": by.total_seconds()})

    def fault(self, **fault: Any) -> None:
        self._sim("POST", "faults", fault)

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are set, each with how often it has struck."""
        found: list[dict[str, Any]] = self._sim("GET", "faults")["faults"]
        return found

    def clear_faults(self) -> None:
        self._sim("DELETE", "faults")

    def truth(self, of: str) -> list[dict[str, Any]]:
        """One of the world's own accounts of what happened."""
        (rows,) = self._sim("GET", f"truth/{of}").values()
        return list(rows)

    def settings(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self._sim("GET", "settings")
        return found

    def change_settings(self, **settings: Any) -> None:
        self._sim("POST", "settings", settings)

    def requests(self) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = self._sim("GET", "requests")["requests"]
        return asked

    def forget_requests(self) -> None:
        self._sim("DELETE", "requests")

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.pylon}{path}", headers={"Authorization": f"Bearer {PYLON_TOKEN}"}, timeout=30)

    def issues(self) -> list[dict[str, Any]]:
        """Every issue there is now, by search without a filter."""
        rows: list[dict[str, Any]] = []
        cursor = None
        while True:
            reply = requests.post(
                f"{self.pylon}/issues/search",
                json={"limit": 500, "cursor": cursor},
                headers={"Authorization": f"Bearer {PYLON_TOKEN}"},
                timeout=30,
            ).json()
            rows += reply.get("data") or []
            cursor = (reply.get("pagination") or {}).get("cursor")
            if cursor is None:
                return rows

    def issues_changed_in(self, window: Window) -> Counter[tuple[str, str]]:
        """Id and stamp of every issue whose stamp lies in a window."""
        return Counter(
            (issue["id"], issue["updated_at"])
            for issue in self.issues()
            if window.start <= datetime.fromisoformat(issue["updated_at"]) < window.end
        )

    def messages(self, issue_id: str) -> list[str] | None:
        """The ids of an issue's messages, None if the issue is gone."""
        reply = self.get(f"/issues/{issue_id}/messages")
        return [message["id"] for message in reply.json().get("data") or []] if reply.ok else None

    def _graphql(self, query: str, **variables: Any) -> Any:
        reply = requests.post(
            f"{self.plain}/graphql/v1",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {PLAIN_TOKEN}"},
            timeout=30,
        )
        reply.raise_for_status()
        return reply.json()["data"]

    def threads_changed_in(self, window: Window) -> Counter[tuple[str, str]]:
        """Id and stamp of every thread whose stamp lies in a window, by listing all there are."""
        found: Counter[tuple[str, str]] = Counter()
        after = None
        while True:
            page = self._graphql(THREADS, after=after)["threads"]
            for edge in page["edges"]:
                stamp = edge["node"]["updatedAt"]["iso8601"]
                if window.start <= datetime.fromisoformat(stamp) < window.end:
                    found[(edge["node"]["id"], stamp)] += 1
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    def timeline(self, thread_id: str) -> list[str] | None:
        """The ids of a thread's timeline entries, None if the thread is gone."""
        ids: list[str] = []
        after = None
        while True:
            thread = self._graphql(TIMELINE, thread=thread_id, after=after)["thread"]
            if thread is None:
                return None
            page = thread["timelineEntries"]
            ids += [edge["node"]["id"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return ids

    def connection(self, conn_id: str) -> Connection:
        extra = {"minimum_gap_seconds": 0}
        if conn_id == "pylon_def":
            return Connection(self.pylon, PYLON_TOKEN, extra)
        return Connection(self.plain, PLAIN_TOKEN, extra)

    def environment(self) -> dict[str, str]:
        """What the command line needs to read these vendors."""
        connections = {
            f"AIRFLOW_CONN_{name.upper()}": json.dumps(
                {"host": c.base_url, "password": c.token, "extra": dict(c.extra)}
            )
            for name in ("pylon_def", "plain_def")
            for c in [self.connection(name)]
        }
        return connections | {"SUPPORT_CLOCK_FILE": str(self.data_dir / "simulators" / "clock.json")}


@contextmanager
def served(data_dir: Path, size: str = "tiny", seed: int = 7) -> Iterator[Vendors]:
    """Simulated vendors on loopback until the block ends."""
    options = ["--size", size, "--seed", str(seed), "--limits", "off", "--data-dir", str(data_dir)]
    process = subprocess.Popen(
        [sys.executable, "-m", "include.simulators", "serve", "--pylon-port", "0", "--plain-port", "0", *options],
        cwd=REPO,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert words[0] == "ready", words
        facts = dict(word.split("=", 1) for word in words[1:])
        yield Vendors(data_dir, facts["pylon"], facts["plain"])
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def settings_for(vendors: Vendors, data_dir: Path, history_from: str = "2025-12-01") -> Settings:
    """The project's own configuration, with data in a test's folder and a history as long as the tiny world's."""
    clients = data_dir / "clients"
    clients.mkdir(parents=True, exist_ok=True)
    for path in CLIENTS_DIR.glob("*.yaml"):
        (clients / path.name).write_text(
            path.read_text().replace("history_from: 2025-01-01", f"history_from: {history_from}")
        )
    clock = str(vendors.data_dir / "simulators" / "clock.json")
    return load_settings({"SUPPORT_DATA_DIR": str(data_dir), "SUPPORT_CLOCK_FILE": clock}, clients)


def bronze_for(vendors: Vendors, data_dir: Path) -> Bronze:
    settings = settings_for(vendors, data_dir)
    return Bronze(settings, settings.client("def"), vendors.connection, "a test")


def run_night(bronze: Bronze, run_id: str, streams: tuple[str, ...]) -> None:
    """One night, undisturbed or not: plan, extract, load."""
    plan = bronze.plan(datetime.max.replace(tzinfo=UTC))
    for stream in streams:
        landed = bronze.extract(stream, plan[stream], run_id)
        bronze.load(stream, landed, run_id)
