"""Real dbt, in this process, on a data folder of the test's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import cleanup_connections, reset_adapters
from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import EventMsg

from include.orchestration.dbt_call import seldom_collected
from include.settings import DBT_PROJECT_DIR

# What dbt knew of the project after the first run of this session.
PARSED: list[bytes] = []


@dataclass
class Outcome:
    """What one dbt command did."""

    success: bool
    result: Any
    exception: BaseException | None
    statements: list[tuple[str, str]] = field(default_factory=list)  # (node, SQL), in the order they were sent
    messages: list[str] = field(default_factory=list)

    def statuses(self) -> dict[str, str]:
        """Each node's name with how it ended."""
        return {each.node.name: str(each.status) for each in self.result.results}

    def said(self) -> str:
        return "\n".join([*self.messages, str(self.exception or "")])


@dataclass(frozen=True)
class Project:
    """The dbt project with a data folder. Artifacts go into the data folder, never into the project."""

    data_dir: Path
    project_dir: Path = DBT_PROJECT_DIR
    profiles_dir: Path | None = None

    @property
    def warehouse(self) -> Path:
        return self.data_dir / "warehouse"

    def run(self, *arguments: str, environment: dict[str, str] | None = None) -> Outcome:
        """Run one dbt command and keep every statement it sends.

        Its artifacts take half of the time of a small run: a test that reads them asks for them with `--write-json`.
        """
        outcome = Outcome(success=False, result=None, exception=None)

        def listen(event: EventMsg) -> None:
            if event.info.name == "SQLQuery":
                outcome.statements.append((event.data.node_info.unique_id, event.data.sql))
            elif event.info.level in ("warn", "error"):
                outcome.messages.append(event.info.msg)

        self.warehouse.mkdir(parents=True, exist_ok=True)
        self._begin_from_what_is_parsed()
        profiles = self.profiles_dir or self.project_dir
        # What dbt says is listened to. For each logger it would put every event into words, at whatever level it listens.
        options = ["--log-level", "none", "--log-level-file", "none"]
        options += [] if "--write-json" in arguments else ["--no-write-json"]
        with _environment(self._environment() | (environment or {})), seldom_collected():
            ended = dbtRunner(callbacks=[listen]).invoke(
                [*arguments, "--project-dir", str(self.project_dir), "--profiles-dir", str(profiles), *options]
            )
        outcome.success, outcome.result, outcome.exception = ended.success, ended.result, ended.exception
        _let_go_of_the_files()
        if self._parsed.exists() and self.project_dir == DBT_PROJECT_DIR and not PARSED:
            PARSED.append(self._parsed.read_bytes())
        return outcome

    @property
    def _parsed(self) -> Path:
        return self.data_dir / "dbt" / "target" / "partial_parse.msgpack"

    def _begin_from_what_is_parsed(self) -> None:
        """dbt parses only what differs from what it knows, and finds that out by itself: once a session is enough."""
        if PARSED and not self._parsed.exists():
            self._parsed.parent.mkdir(parents=True, exist_ok=True)
            self._parsed.write_bytes(PARSED[0])

    def _environment(self) -> dict[str, str]:
        return {
            "SUPPORT_DATA_DIR": str(self.data_dir),
            "SUPPORT_TARGET": "local",
            "DBT_TARGET_PATH": str(self.data_dir / "dbt" / "target"),
            "DBT_LOG_PATH": str(self.data_dir / "dbt" / "logs"),
            "DO_NOT_TRACK": "1",
        }


def copy_of_project(folder: Path, *additions: Path) -> Path:
    """The project in a folder of its own, with more files in it: what a test adds never touches the real one."""
    copy = folder / "project"
    shutil.copytree(DBT_PROJECT_DIR, copy, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))
    for addition in additions:
        shutil.copytree(addition, copy, dirs_exist_ok=True)
    return copy


def _let_go_of_the_files() -> None:
    """dbt-duckdb keeps its files open until the process ends; the test wants to look into them."""
    cleanup_connections()
    reset_adapters()
    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager.close_all_connections()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
