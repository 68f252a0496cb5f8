"""A whole local Airflow: prepared, started, registered, watched and ended."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from importlib.metadata import version
from types import TracebackType
from typing import Any

import yaml

from include.local import keeper
from include.local.api import Airflow
from include.local.console import Console, Stopwatch, duration
from include.local.credentials import ADMIN, Secrets, ensure_secrets
from include.local.environment import Vendors, airflow_env, api_server_env, wants_simulators
from include.local.folder import REPO, Place, StackError, shown
from include.local.processes import PYTHON, Processes

READY_LINE = re.compile(r"^ready pylon=(?P<pylon>\S+) plain=(?P<plain>\S+) clock=(?P<clock>\S+)")


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


class Stack:
    """A whole local Airflow with everything it needs. Use as a context manager: leaving it ends every process."""

    # what the simulated vendors are started with
    world: tuple[str, ...] = ("--size", "small", "--seed", "7", "--pylon-port", "0", "--plain-port", "0")

    def __init__(self, place: Place, console: Console, lock: int, *, port: int, with_triggerer: bool = False) -> None:
        self.place = place
        self.console = console
        self.port = port
        self.services = ["api-server", "dag-processor", "scheduler", *(["triggerer"] if with_triggerer else [])]
        self.secrets: Secrets = ensure_secrets(place.airflow)
        self.vendors: Vendors | None = None
        self.started_at = time.time()
        self._lock = lock
        self.api = Airflow(f"http://127.0.0.1:{port}", ADMIN, self.secrets.passwords[ADMIN])

    def __enter__(self) -> Stack:
        left = keeper.sweep(str(self.place.data), grace=2)
        if left:
            self.console.step("leftovers", f"ended {left} processes of a stack that was killed")
        self.processes = Processes(self.place, self._lock)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # Ending takes seconds and is under way; nothing may cut it short.
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
        self.console.live("  stopping ...")
        self.api.close()
        self.processes.stop()
        self.console.done()
        for number, handler in before.items():
            signal.signal(number, handler)

    def env(self, *, schedules: bool = False) -> dict[str, str]:
        return airflow_env(
            os.environ, self.place.data, self.secrets, port=self.port, vendors=self.vendors, schedules=schedules
        )

    # -- preparing: what the services need before they start

    def prepare(self) -> None:
        """Metadata database, manifest and vendors, side by side."""
        watch = Stopwatch()
        env = self.env()
        migrating = self._start_migration(env)
        self.processes.start("manifest", [PYTHON, "-m", "include.orchestration.manifest", "build"], env)
        simulated = wants_simulators(os.environ) and not self._connections_kept()
        if simulated:
            self._start_simulators(env)
        if migrating:
            self.console.live("  creating Airflow's database ...")
            self.processes.wait("metadata", 180)
            self._finish_migration()
            self.console.step("metadata", f"Airflow's database is ready in {shown(self.place.airflow)}", watch.seconds)
        if simulated:
            self.console.live("  starting the simulated vendors ...")
            clock = self._wait_for_simulators()
            self.console.step("vendors", f"simulated, no tokens configured; their clock says {clock}")
        else:
            self.console.step("vendors", "the real ones, from the tokens or connections configured")

    def _finish_manifest(self) -> None:
        self.console.live("  building the manifest ...")
        self.processes.wait("manifest", 180)
        said = self.processes.logs["manifest"].read_text().strip().splitlines()
        text = said[-1] if said else "up to date"
        self.console.step("manifest", text.removeprefix("manifest ").replace(f"{REPO}/", ""))

    def _stamp(self) -> str:
        return f"airflow {version('apache-airflow-core')}"

    def _start_migration(self, env: Mapping[str, str]) -> bool:
        """Start making or upgrading the database, on a copy: a killed migration leaves the old one, or none."""
        stamp = self.place.airflow / "airflow.db.version"
        if self.place.database.is_file() and stamp.is_file() and stamp.read_text().strip() == self._stamp():
            return False
        fresh = self.place.database.with_suffix(".db.new")
        for leftover in self.place.airflow.glob("airflow.db.new*"):
            leftover.unlink()
        if self.place.database.is_file():
            with closing(sqlite3.connect(self.place.database)) as old, closing(sqlite3.connect(fresh)) as new:
                old.execute("pragma journal_mode = delete")  # nothing may be left in a log beside the file
                old.backup(new)
        own = {**env, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{fresh}"}
        self.processes.start("metadata", [PYTHON, "-m", "airflow", "db", "migrate"], own)
        return True

    def _finish_migration(self) -> None:
        fresh = self.place.database.with_suffix(".db.new")
        with closing(sqlite3.connect(fresh)) as database:
            database.execute("pragma journal_mode = delete")
        fresh.replace(self.place.database)
        (self.place.airflow / "airflow.db.version").write_text(self._stamp() + "\n")

    def _connections_kept(self) -> bool:
        """Whether a person put a token into a vendor connection of Airflow itself."""
        return self._asked(
            "select count(*) from connection "
            "where conn_id in ('pylon_def', 'plain_def') and coalesce(password, '') != ''"
        )

    def _asked(self, question: str) -> bool:
        """Whether the metadata database counts any, asked of the file while nothing runs yet."""
        if not self.place.database.is_file():
            return False
        with closing(sqlite3.connect(f"file:{self.place.database}?mode=ro", uri=True)) as database:
            return bool(database.execute(question).fetchone()[0])

    def _start_simulators(self, env: Mapping[str, str]) -> None:
        self.place.simulators.mkdir(parents=True, exist_ok=True)
        options = [*self.world, "--limits", "off", "--data-dir", str(self.place.data)]
        argv = [PYTHON, "-m", "include.simulators", "serve", *options]
        self.processes.start("simulators", argv, env)

    def _wait_for_simulators(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.processes.check("simulators")
            log = self.processes.logs["simulators"]
            for line in log.read_text().splitlines() if log.is_file() else []:
                ready = READY_LINE.match(line)
                if ready:
                    self.vendors = Vendors(ready["pylon"], ready["plain"], self.place.simulators / "clock.json")
                    return ready["clock"]
            time.sleep(0.05)
        raise StackError("the simulators did not get ready within 60 s." + self.processes.last_words("simulators"))

    # -- starting

    def start(self, *, schedules: bool = False, fail_unfinished: bool = False) -> None:
        """Start Airflow's processes and wait until they answer, everything is registered and the DAG files are read."""
        watch = Stopwatch()
        self.started_at = time.time()
        env = self.env(schedules=schedules)
        # What a killed stack left unfinished must be closed before a scheduler takes it up again.
        unfinished = fail_unfinished and self._has_unfinished_runs()
        for service in ("api-server",) if unfinished else ("api-server", "scheduler"):
            self._start_service(service, env)
        self._finish_manifest()
        self._start_service("dag-processor", env)
        self.console.live("  starting Airflow: " + ", ".join(self.services) + " ...")
        self._until(self.api.is_up, "the API server to answer", 120)
        self._register()
        if unfinished:
            self._fail_unfinished_runs()
        for service in self.services:
            if service not in self.processes.logs:
                self._start_service(service, env)
        self._until(self._is_healthy, "Airflow to report itself healthy", 90)
        self.console.step("airflow", f"{', '.join(self.services)} on {self.api.url}", watch.seconds)

    def _has_unfinished_runs(self) -> bool:
        return self._asked("select count(*) from dag_run where state in ('running', 'queued')")

    def _fail_unfinished_runs(self) -> None:
        """Fail the runs a killed stack left unfinished: what they loaded counts, the rest is loaded by the next."""
        for run in self.api.runs("~", state=["running", "queued"]):
            dag_id, run_id = run["dag_id"], run["dag_run_id"]
            note = "Interrupted: the stack was stopped while this run was under way."
            self.api.call("PATCH", f"/dags/{dag_id}/dagRuns/{run_id}", {"state": "failed", "note": note})
            self.console.step("leftovers", f"run {run_id} of {dag_id} had been interrupted and is marked failed")

    def _start_service(self, service: str, env: Mapping[str, str]) -> None:
        # Logs are read from the disk they are on; the log servers of scheduler and triggerer would listen everywhere.
        options = ["--skip-serve-logs"] if service in ("scheduler", "triggerer") else []
        own = api_server_env(env) if service == "api-server" else env
        self.processes.start(service, [PYTHON, "-m", "include.local.service", service, *options], own)

    def _until(self, condition: Callable[[], bool], what: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            self.processes.check(*(s for s in self.services if s in self.processes.logs))
            if time.monotonic() > deadline:
                raise StackError(
                    f"waited {duration(timeout)} for {what}, in vain. "
                    f"The logs of each process are in {self.place.logs / 'services'}."
                )
            time.sleep(0.2)

    def _is_healthy(self) -> bool:
        health = self.api.call("GET", "/monitor/health")
        parts = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
        return all(health[parts[s]]["status"] == "healthy" for s in self.services if s in parts)

    def _register(self) -> None:
        """Register airflow_settings.yaml. Pools and variables follow it; a connection that exists is a person's."""
        listed = (yaml.safe_load((REPO / "airflow_settings.yaml").read_text()) or {}).get("airflow") or {}
        for pool in listed.get("pools") or []:
            name = pool["pool_name"]
            body: dict[str, Any] = {"slots": int(pool["pool_slot"]), "description": pool.get("pool_description") or ""}
            self._put("/pools", name, {"name": name, **body}, {"pool": name, **body, "include_deferred": False})
        for variable in listed.get("variables") or []:
            key = variable["variable_name"]
            body = {"key": key, "value": str(variable["variable_value"])}
            self._put("/variables", key, body, body)
        for connection in listed.get("connections") or []:
            if not connection.get("conn_type") or self.api.found(f"/connections/{connection['conn_id']}"):
                continue
            self.api.call("POST", "/connections", connection_body(connection))

    def _put(self, path: str, name: str, new: dict[str, Any], changed: dict[str, Any]) -> None:
        if self.api.found(f"{path}/{name}"):
            self.api.call("PATCH", f"{path}/{name}", changed)
        else:
            self.api.call("POST", path, new)

    def wait_for_dags(self, *dag_ids: str) -> None:
        """Wait until this stack's processor has read these DAGs; a file that does not import is an error at once."""
        self.console.live("  reading the DAG files ...")

        def read() -> bool:
            errors = [e for e in self.api.import_errors() if _after(e["timestamp"], self.started_at)]
            if errors:
                raise StackError("\n".join("DAG file " + import_error(error) for error in errors))
            dags = [self.api.found(f"/dags/{dag_id}") for dag_id in dag_ids]
            return all(dag and _after(dag["last_parsed_time"], self.started_at) for dag in dags)

        self._until(read, f"the DAGs {', '.join(dag_ids)} to be read", 90)


def _after(stamp: str | None, moment: float) -> bool:
    return bool(stamp) and datetime.fromisoformat(str(stamp)).timestamp() >= moment


def import_error(error: Mapping[str, Any]) -> str:
    trace = str(error["stack_trace"]).strip().splitlines()
    return f"{error['filename']} does not import: {trace[-1] if trace else 'no reason given'}"


def connection_body(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of airflow_settings.yaml as the REST API wants it; secrets have no place in that file."""
    extra = entry.get("conn_extra")
    return {
        "connection_id": entry["conn_id"],
        "conn_type": entry["conn_type"],
        "host": entry.get("conn_host") or None,
        "schema": entry.get("conn_schema") or None,
        "login": entry.get("conn_login") or None,
        "port": int(entry["conn_port"]) if entry.get("conn_port") else None,
        "extra": extra if isinstance(extra, str) else json.dumps(extra) if extra else None,
    }
