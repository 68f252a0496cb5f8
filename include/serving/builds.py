"""What each build did, node by node: kept while it is at work, so that nothing is forgotten of one that is killed.

A run has a folder of its own, `{dag}/{run}`, and in it a journal of JSON lines: one per node that ended, one whenever
asset events were given out. A line that a killed build left unfinished is passed over.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

JOURNAL = "nodes.jsonl"
SUMMARY = "run_results.json"
RUNS_KEPT = 60
GREEN = frozenset({"success", "pass", "warn"})


@dataclass(frozen=True)
class NodeRecord:
    """What one build did to one node, and which Airflow tasks show it."""

    unique_id: str
    status: str
    seconds: float
    rows: int | None
    message: str
    tasks: tuple[str, ...]
    built_by: str
    sql: str
    log: tuple[str, ...]

    @property
    def is_green(self) -> bool:
        return self.status in GREEN


@dataclass(frozen=True)
class Kept:
    """What the journal of a run says: each node as it last was, and those whose newest result was given out."""

    nodes: dict[str, NodeRecord]
    announced: frozenset[str]


class Journal:
    """The journal of one run."""

    def __init__(self, builds: Path, dag_id: str, run_id: str) -> None:
        self.folder = builds / dag_id / run_id
        if self.folder.parent.parent != builds or ".." in (dag_id, run_id):
            raise ValueError(f"no run can be called {dag_id} {run_id}")

    def exists(self) -> bool:
        return (self.folder / JOURNAL).is_file()

    def keep(self, nodes: Iterable[NodeRecord]) -> None:
        """Add what became of nodes."""
        self._append(asdict(node) for node in nodes)

    def announce(self, unique_ids: Iterable[str]) -> None:
        """Note that asset events of these nodes were given out."""
        self._append([{"announced": sorted(unique_ids)}])

    def read(self) -> Kept:
        """What is known of the run so far."""
        nodes: dict[str, NodeRecord] = {}
        announced: set[str] = set()
        for line in (self.folder / JOURNAL).read_bytes().split(b"\n") if self.exists() else ():
            try:
                entry: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            if "announced" in entry:
                announced.update(entry["announced"])
            else:
                entry |= {"tasks": tuple(entry["tasks"]), "log": tuple(entry["log"])}
                nodes[entry["unique_id"]] = NodeRecord(**entry)
                announced.discard(entry["unique_id"])
        return Kept(nodes, frozenset(announced))

    def summarise(self) -> None:
        """Write how every node ended, over all attempts, in the shape of dbt's own file."""
        kept = self.read().nodes
        results = [
            {
                "unique_id": node.unique_id,
                "status": node.status,
                "execution_time": node.seconds,
                "message": node.message,
                "adapter_response": {} if node.rows is None else {"rows_affected": node.rows},
            }
            for _, node in sorted(kept.items())
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{SUMMARY}.partial"
        partial.write_text(json.dumps({"results": results}))
        partial.replace(self.folder / SUMMARY)

    def forget_old(self) -> None:
        """Remove the oldest runs of this DAG beyond those that are kept."""
        if not self.folder.parent.is_dir():
            return
        runs = sorted(self.folder.parent.iterdir(), key=lambda run: run.stat().st_mtime)
        for old in runs[:-RUNS_KEPT]:
            if old != self.folder:
                shutil.rmtree(old, ignore_errors=True)

    def _append(self, entries: Iterable[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(entry) + "\n" for entry in entries)
        if lines:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / JOURNAL).open("a") as journal:
                # A killed build may have left half a line: this one must not become its other half.
                journal.write("\n" + lines if journal.tell() else lines)
