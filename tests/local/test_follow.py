from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.local.api import Airflow, Task
from include.local.console import Console
from include.local.follow import Outcome, explain, follow, last_words, news, progress, readable, task_log

START = datetime(2026, 1, 5, 6, 20, tzinfo=UTC)


def task(name: str, state: str | None, *, tries: int = 1, seconds: float = 2.0, index: int = -1) -> Task:
    return Task(name, index, state, tries, START, START + timedelta(seconds=seconds), None)


def marked(name: str) -> Task:
    return Task(name, -1, "success", 0, START, START, "built in 0.2 s")


@pytest.mark.parametrize(
    ("tasks", "line"),
    [
        ([task("plan", "success"), task("build", None)], "  def_support    1/2 tasks   12 s"),
        ([task("plan", "running"), task("build", None)], "  def_support    0/2 tasks   plan   12 s"),
        ([task("plan", "queued")], "  def_support    0/1 tasks   waiting for a slot   12 s"),
        (
            [task(name, "running") for name in "abcde"],
            "  def_support    0/5 tasks   a, b, c and 2 more   12 s",
        ),
        (
            [task("a", "failed"), task("b", "up_for_retry"), task("c", "running")],
            "  def_support    1/3 tasks   c   retrying b   1 failed   12 s",
        ),
    ],
)
def test_progress_is_one_line(tasks: list[Task], line: str) -> None:
    assert progress("def_support", tasks, 12.0) == line


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (None, task("plan", "running"), "plan started"),
        (task("plan", "running"), task("plan", "running"), None),
        (task("plan", "running"), task("plan", "success"), "plan done   2.0 s"),
        (task("plan", "running"), task("plan", "failed"), "plan failed"),
        (task("plan", "running"), task("plan", "up_for_retry"), "plan failed on try 1, will be tried again"),
        (task("plan", "up_for_retry"), task("plan", "running", tries=2), "plan started (try 2)"),
        (None, task("plan", "upstream_failed"), "plan upstream failed"),
        (None, task("extract", "running", index=3), "extract [3] started"),
        (None, task("plan", None), None),
    ],
)
def test_a_line_is_said_when_a_state_is_news(before: Task | None, now: Task, said: str | None) -> None:
    assert news({before.name: before} if before else {}, now, verbose=True) == said


def test_on_a_terminal_only_trouble_is_said_as_a_line() -> None:
    assert news({}, task("plan", "success"), verbose=False) is None
    assert news({}, task("plan", "failed"), verbose=False) == "plan failed"


class ScriptedAirflow(Airflow):
    """Answers with one state of a run after the other."""

    def __init__(self, states: list[tuple[str, list[Task]]]) -> None:
        self.states = states

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return {"state": self.states[0][0]}

    def tasks(self, dag_id: str, run_id: str) -> list[Task]:
        return self.states.pop(0)[1]


def test_a_run_is_followed_to_its_end() -> None:
    out = io.StringIO()
    api = ScriptedAirflow(
        [
            ("running", [task("build", "running"), task("dbt.a.run", None), task("dbt.b.run", None)]),
            ("running", [task("build", "running"), marked("dbt.a.run"), task("dbt.b.run", None)]),
            ("success", [task("build", "success"), marked("dbt.a.run"), marked("dbt.b.run")]),
        ]
    )

    outcome = follow(api, Console(out), "def_support", "r", lambda: None, pause=0)

    assert outcome.state == "success"
    assert [line.strip() for line in out.getvalue().splitlines()] == [
        "build started",
        "1 task built and tested by build so far",
        "build done   2.0 s",
        "2 tasks built and tested by build so far",
    ]


def test_trouble_of_the_stack_ends_the_following() -> None:
    def trouble() -> None:
        raise RuntimeError("scheduler ended")

    with pytest.raises(RuntimeError, match="scheduler ended"):
        follow(ScriptedAirflow([]), Console(io.StringIO()), "def_support", "r", trouble)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '{"event": "Task failed with exception", "error_detail": [{"exc_type": "ValueError", "exc_value": "no key"}]}',
            ["Task failed with exception", "ValueError: no key"],
        ),
        ('{"event": "two\\nlines"}', ["two", "lines"]),
        ('{"event": "::group::Pre Execute"}', []),
        ("not JSON", ["not JSON"]),
        ("", []),
    ],
)
def test_a_line_of_a_task_log_is_made_readable(line: str, said: list[str]) -> None:
    assert readable(line) == said


def test_colours_of_dbt_are_taken_out_of_its_last_words() -> None:
    assert readable(json.dumps({"event": "\x1b[0m07:29 \x1b[31mERROR\x1b[0m in model"})) == ["07:29 ERROR in model"]


def test_a_failed_task_is_explained_with_its_last_words_and_the_place_of_its_log(tmp_path: Path) -> None:
    failed = task("dbt.fct_def_tickets.run", "failed", tries=2)
    outcome = Outcome("def_support", "r1", "failed", 9.0, [failed, task("publish", "upstream_failed")])
    log = task_log(tmp_path, outcome, failed)
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(json.dumps({"event": f"line {n}"}) for n in range(40)))
    out = io.StringIO()

    explain(Console(out), outcome, tmp_path)

    said = out.getvalue()
    assert "dbt.fct_def_tickets.run of def_support failed (try 2)" in said
    assert "| line 39\n" in said
    assert "| line 24\n" not in said
    assert f"log: {log}\n" in said
    assert "1 task could not start because of that" in said
    assert log.name == "attempt=2.log"


def test_a_task_that_never_wrote_a_log_is_no_surprise(tmp_path: Path) -> None:
    assert last_words(tmp_path / "attempt=1.log") == ["(no log was written)"]
