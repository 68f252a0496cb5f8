"""One dbt command inside a task, with the warehouse lock, and what it did to each node."""

from __future__ import annotations

import gc
import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.bronze.warehouses.lock import warehouse_lock
from include.orchestration.manifest import seed_partial_parse
from include.serving.builds import GREEN
from include.serving.docs import docs_page
from include.settings import DBT_PROJECT_DIR, ClientStream, settings

log = logging.getLogger(__name__)

# How many new objects Python waits for, and how many of those rounds before it looks through older ones and all.
SELDOM = (10_000, 10, 100)
GOOD = GREEN | {"no-op"}  # an exposure, of which there is nothing to build


class DbtError(RuntimeError):
    """A dbt command did not end well."""


@dataclass(frozen=True)
class Node:
    """What a command did to one node."""

    unique_id: str
    status: str
    seconds: float
    message: str

    @property
    def name(self) -> str:
        return self.unique_id.split(".")[2]


@dataclass(frozen=True)
class Outcome:
    """What a command did, node by node in the order they ended."""

    nodes: tuple[Node, ...]

    @property
    def models(self) -> list[str]:
        """The relations that were built."""
        kinds = ("model.", "seed.", "snapshot.")
        return [node.name for node in self.nodes if node.unique_id.startswith(kinds) and node.status == "success"]

    @property
    def summary(self) -> str:
        """How many nodes ended in which way."""
        counted = Counter(node.status for node in self.nodes)
        return ", ".join(f"{count} {status}" for status, count in sorted(counted.items())) or "nothing selected"


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have Python look for garbage less often: dbt keeps most of what it makes (docs/adr/051-what-a-night-costs.md)."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def call_dbt(arguments: Sequence[str], holder: str) -> Outcome:
    """Run one dbt command. Raises with the first failure's message if any node is not green."""
    # Imported where it is needed: this module is imported whenever a DAG file is parsed.
    from dbt.cli.main import dbtRunner

    current = settings()
    folder = current.dbt_dir / "calls"
    seed_partial_parse(current.manifest_dir, folder / "target")
    os.environ.update(current.dbt_environment | {"DBT_USE_COLORS": "false"})
    where = ["--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR), "--profile", "default"]
    where += [
        "--target",
        str(current.target),
        "--target-path",
        str(folder / "target"),
        "--log-path",
        str(folder / "logs"),
    ]
    log.info("dbt %s", " ".join(arguments))
    lock = warehouse_lock(current.warehouse_dir, holder) if current.target.is_embedded else nullcontext()
    with lock, seldom_collected():
        ended = dbtRunner().invoke([*arguments, *where])
    if ended.exception is not None:
        raise DbtError(" ".join(str(ended.exception).split())) from ended.exception
    outcome = Outcome(tuple(_node(result) for result in getattr(ended.result, "results", ())))
    bad = [node for node in outcome.nodes if node.status not in GOOD]
    for node in bad:
        log.error("%s: %s: %s", node.unique_id, node.status, node.message)
    if bad or not ended.success:
        first = next((node for node in bad if node.status != "skipped"), None)
        raise DbtError(
            f"{len(bad)} nodes are not green, first {first.name}: {first.message or 'see above'}"
            if first
            else "dbt failed"
        )
    log.info("%s", outcome.summary)
    return outcome


def build(selection: Sequence[str], holder: str) -> list[str]:
    """Build what is selected, as dbt's own options say it, with its tests. Says which relations were built.

    Unit tests are for developers and CI.
    """
    return call_dbt(["build", "--exclude-resource-type", "unit_test", *selection], holder).models


def downstream_of(stream: ClientStream) -> str:
    """Everything that is built from a stream's records, as dbt selects it."""
    return f"source:{stream.client}_bronze.{stream.table}+"


def write_docs(holder: str) -> Path:
    """Write dbt's documentation, in one page, to where the Airflow UI shows it. Says where."""
    call_dbt(["docs", "generate", "--static"], holder)
    current = settings()
    page = docs_page()
    page.parent.mkdir(parents=True, exist_ok=True)
    partial = page.with_suffix(".partial")
    shutil.copyfile(current.dbt_dir / "calls" / "target" / "static_index.html", partial)
    partial.replace(page)
    return page


def _node(result: Any) -> Node:
    unique_id = result.node.unique_id if hasattr(result, "node") else result.unique_id  # an operation has no node
    return Node(unique_id, str(result.status), float(result.execution_time), str(result.message or ""))
