"""Following a DAG run: from Airflow's task states to what a person sees while it works and when it failed."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.local.api import ENDED, Airflow, Task
from include.local.console import Console, Stopwatch, counted, duration

ACTIVE = ("running", "queued", "up_for_retry", "up_for_reschedule", "deferred", "restarting")
LOG_LINES = 15
AT_MOST_A_SHARE_OF = 9  # a tenth of the time is spent on looking
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    dag_id: str
    run_id: str
    state: str
    seconds: float
    tasks: list[Task]

    @property
    def failed(self) -> list[Task]:
        return sorted((t for t in self.tasks if t.state == "failed"), key=lambda t: (t.end is None, t.end))


def progress(dag_id: str, tasks: list[Task], seconds: float) -> str:
    """One line: how far, what is at work, for how long."""
    counts = Counter(task.state for task in tasks)
    ended = sum(counts[state] for state in ("success", "skipped", "failed", "upstream_failed", "removed"))
    active = [task.name for task in tasks if task.state == "running"]
    retrying = [task.name for task in tasks if task.state in ("up_for_retry", "restarting")]
    parts = [f"  {dag_id:<15}{ended}/{len(tasks)} tasks"]
    if active:
        parts.append(", ".join(active[:3]) + (f" and {len(active) - 3} more" if len(active) > 3 else ""))
    elif counts["queued"] or counts["scheduled"]:
        parts.append("waiting for a slot")
    if retrying:
        parts.append(f"retrying {', '.join(retrying[:2])}")
    if counts["failed"]:
        parts.append(f"{counts['failed']} failed")
    return "   ".join([*parts, duration(seconds)])


def news(before: dict[str, Task], task: Task, verbose: bool) -> str | None:
    """A line that stays, when this task's state is news: always for trouble, otherwise only without a live line."""
    known = before.get(task.name)
    if known and known.state == task.state and known.try_number == task.try_number:
        return None
    took = f"   {duration(task.seconds)}" if task.seconds else ""
    match task.state:
        case "failed":
            return f"{task.name} failed"
        case "up_for_retry":
            return f"{task.name} failed on try {task.try_number}, will be tried again"
        case "upstream_failed" | "removed" | "skipped":
            return f"{task.name} {task.state.replace('_', ' ')}" if verbose else None
        case "running":
            again = f" (try {task.try_number})" if task.try_number > 1 else ""
            return f"{task.name} started{again}" if verbose else None
        case "success":
            return f"{task.name} done{took}" if verbose and task.start else None
        case _:
            return None


def is_marked(task: Task) -> bool:
    """Whether the build closed this task instead of a process of its own: it never had a try."""
    return task.state == "success" and task.try_number == 0


def follow(
    api: Airflow, console: Console, dag_id: str, run_id: str, check: Callable[[], None], pause: float = 0.5
) -> Outcome:
    """Show a run until it has ended. `check` raises when the stack itself has trouble.

    A list of hundreds of tasks costs the API server more than half a second of work, which it takes from the run: so it
    is asked for less often the longer it takes.
    """
    watch = Stopwatch()
    seen: dict[str, Task] = {}
    tasks: list[Task] = []
    look_again = 0.0
    while True:
        check()
        run = api.run(dag_id, run_id)
        if run["state"] not in ENDED and watch.seconds < look_again:
            console.live(progress(dag_id, tasks, watch.seconds))
            time.sleep(pause)
            continue
        asked_at = watch.seconds
        tasks = api.tasks(dag_id, run_id)
        look_again = watch.seconds + AT_MOST_A_SHARE_OF * (watch.seconds - asked_at)
        marked = False
        for task in tasks:
            if is_marked(task):
                marked = marked or seen.get(task.name) != task
            elif line := news(seen, task, verbose=not console.terminal):
                console.step("", line)
            seen[task.name] = task
        if marked and not console.terminal:
            console.step("", f"{counted(sum(map(is_marked, tasks)), 'task')} built and tested by build so far")
        if run["state"] in ENDED:
            console.live("")
            return Outcome(dag_id, run_id, run["state"], watch.seconds, tasks)
        console.live(progress(dag_id, tasks, watch.seconds))
        time.sleep(pause)


def task_log(logs: Path, outcome: Outcome, task: Task) -> Path:
    """Where Airflow keeps the log of a task's last try."""
    folder = logs / f"dag_id={outcome.dag_id}" / f"run_id={outcome.run_id}" / f"task_id={task.task_id}"
    if task.map_index >= 0:
        folder = folder / f"map_index={task.map_index}"
    return folder / f"attempt={task.try_number}.log"


def readable(line: str) -> list[str]:
    """A line of a task log (JSON) as a person reads it: message, then what was raised."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return [line.rstrip()] if line.strip() else []
    event = COLOURS.sub("", str(entry.get("event", "")))
    if event.startswith("::"):  # marks of foldable sections in the UI
        return []
    said = event.rstrip().splitlines()
    for error in entry.get("error_detail") or []:
        said.append(f"{error.get('exc_type')}: {error.get('exc_value')}")
    return said


def last_words(log: Path, lines: int = LOG_LINES) -> list[str]:
    """The end of a task's log."""
    if not log.is_file():
        return ["(no log was written)"]
    said = [part for line in log.read_text(errors="replace").splitlines() for part in readable(line)]
    return said[-lines:]


def explain(console: Console, outcome: Outcome, logs: Path) -> None:
    """What failed, what it said last, and where its log is."""
    for task in outcome.failed[:3]:
        log = task_log(logs, outcome, task)
        console.line()
        console.line(console.style(f"  {task.name} of {outcome.dag_id} failed", "bad") + f" (try {task.try_number})")
        for line in last_words(log):
            console.line(f"    | {line}")
        console.line(f"    log: {log}")
    more = len(outcome.failed) - 3
    if more > 0:
        console.line(f"  and {counted(more, 'more failed task')}: {', '.join(t.name for t in outcome.failed[3:8])}")
    blocked = sum(task.state == "upstream_failed" for task in outcome.tasks)
    if blocked:
        console.line(f"  {counted(blocked, 'task')} could not start because of that")
