"""One run of dbt in this process, with every statement it sends and what each took."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import yaml

from benchmarks.harness import apart
from include.settings import DBT_PROJECT_DIR, load_settings

MODEL = "model.support_medallion."


@dataclass
class Statement:
    """One that dbt sent for a model: how long it took, and how much of the processors' time went by meanwhile."""

    node: str
    sql: str
    seconds: float = 0.0
    cpu: float = 0.0


@dataclass(frozen=True)
class Build:
    """What one run of dbt did, or one of the same statements without it."""

    statements: Sequence[Statement]
    seconds: float
    """From the first statement of a model to the end of the last model."""
    cpu: float
    """Of the processors, meanwhile."""
    wall: float
    """Of the command, its start-up with it."""
    models: Mapping[str, float]
    """How long each model took."""
    peak_mb: float = 0.0


@contextmanager
def opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A client's file, written to disk when the block ends: dbt is to open it, not to replay a log."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
        yield connection
        connection.execute("checkpoint")


def write_profile(folder: Path, memory: str) -> None:
    """The project's own profile with a limit on what DuckDB may keep in memory; beyond it, it spills to disk."""
    folder.mkdir(parents=True, exist_ok=True)
    profile = yaml.safe_load((DBT_PROJECT_DIR / "profiles.yml").read_text())
    profile["default"]["outputs"]["local"]["config_options"] = {"memory_limit": memory}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))


def dbt(data_dir: Path, *arguments: str) -> Build:
    """Run dbt on a data folder that has a profile. It keeps its files open for as long as this process lives."""
    from dbt.cli.main import dbtRunner
    from dbt_common.events.base_types import EventMsg

    os.environ.update({"SUPPORT_DATA_DIR": str(data_dir), "SUPPORT_TARGET": "local", "SUPPORT_CLOCK_FILE": ""})
    settings = load_settings()
    os.environ.update(settings.dbt_environment | settings.dbt_paths)
    sent: list[Statement] = []
    waiting: dict[str, Statement] = {}
    marks: list[tuple[float, float]] = []

    def listen(event: EventMsg) -> None:
        name, node = event.info.name, getattr(getattr(event.data, "node_info", None), "unique_id", "")
        if not node.startswith(MODEL):
            return
        if name == "SQLQuery":
            one = Statement(node.removeprefix(MODEL), event.data.sql, -time.perf_counter(), -time.process_time())
            marks.append((-one.seconds, -one.cpu))
            sent.append(one)
            waiting[node] = one
        elif name == "SQLQueryStatus":
            waiting[node].seconds += time.perf_counter()
            waiting[node].cpu += time.process_time()
        elif name == "NodeFinished":
            marks.append((time.perf_counter(), time.process_time()))

    started = time.perf_counter()
    ended = dbtRunner(callbacks=[listen]).invoke(
        [*arguments, "--quiet", "--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(data_dir)]
    )
    wall = time.perf_counter() - started
    if not ended.success:
        failed = [each.message for each in getattr(ended.result, "results", []) if each.status in ("error", "fail")]
        raise SystemExit(f"dbt {' '.join(arguments)}: {ended.exception or failed}")
    models = {each.node.name: each.execution_time for each in ended.result.results}
    seconds, cpu = (last - first for first, last in zip(marks[0], marks[-1], strict=True)) if marks else (0.0, 0.0)
    return Build(sent, seconds, cpu, wall, models)


def built(work: Callable[..., Build], *arguments: Any) -> Build:
    """A build in a process of its own, with the memory that took."""
    build, took = apart(work, *arguments)
    return replace(build, peak_mb=took.peak_mb)
