"""The journal of a build, and the page that shows a task's part of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from include.serving import task_page as pages
from include.serving.builds import RUNS_KEPT, Journal, NodeRecord
from include.settings import load_settings


def node(unique_id: str, status: str = "success", *, message: str = "OK", **more: object) -> NodeRecord:
    told = {"rows": 3, "tasks": ("dbt.a.run",), "built_by": "build (try 1)", "sql": "select 1", "log": ("done",)}
    return NodeRecord(unique_id=unique_id, status=status, seconds=0.5, message=message, **(told | more))  # type: ignore[arg-type]


def test_the_newest_result_of_each_node_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "d", "r")
    assert not journal.exists()
    journal.keep([node("model.p.a", "error"), node("model.p.b")])
    journal.keep([node("model.p.a", "success", rows=None)])
    assert journal.read().nodes == {
        "model.p.a": node("model.p.a", "success", rows=None),
        "model.p.b": node("model.p.b"),
    }


def test_a_node_that_is_built_again_is_news_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "d", "r")
    journal.keep([node("model.p.a"), node("model.p.b")])
    journal.announce(["model.p.a", "model.p.b"])
    journal.keep([node("model.p.a")])
    assert journal.read().announced == {"model.p.b"}


def test_half_a_line_of_a_killed_build_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "d", "r")
    journal.keep([node("model.p.a"), node("model.p.b")])
    file = tmp_path / "d" / "r" / "nodes.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    journal.keep([node("model.p.c")])
    assert set(journal.read().nodes) == {"model.p.a", "model.p.c"}


def test_the_summary_has_the_shape_of_dbts_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "d", "r")
    journal.keep([node("test.p.t", "pass", rows=None, message=""), node("model.p.a")])
    journal.summarise()
    assert json.loads((tmp_path / "d" / "r" / "run_results.json").read_text()) == {
        "results": [
            {
                "unique_id": "model.p.a",
                "status": "success",
                "execution_time": 0.5,
                "message": "OK",
                "adapter_response": {"rows_affected": 3},
            },
            {
                "unique_id": "test.p.t",
                "status": "pass",
                "execution_time": 0.5,
                "message": "",
                "adapter_response": {},
            },
        ]
    }


def test_old_runs_are_forgotten_and_never_the_present_one(tmp_path: Path) -> None:
    for number in range(RUNS_KEPT + 5):
        folder = tmp_path / "d" / f"r{number}"
        folder.mkdir(parents=True)
        os.utime(folder, (number, number))
    Journal(tmp_path, "d", "r2").forget_old()
    assert {path.name for path in (tmp_path / "d").iterdir()} == {"r2"} | {f"r{n}" for n in range(5, RUNS_KEPT + 5)}


@pytest.mark.parametrize(
    ("dag_id", "run_id"), [("..", "r"), ("d", ".."), ("d/../..", "r"), ("/etc", "r"), ("d", "a/b")]
)
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, dag_id: str, run_id: str) -> None:
    with pytest.raises(ValueError, match="no run can be called"):
        Journal(tmp_path, dag_id, run_id)


def test_a_page_holds_the_tasks_nodes_and_what_they_contain_is_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = load_settings({"SUPPORT_DATA_DIR": str(tmp_path)})
    monkeypatch.setattr(pages, "settings", lambda: current)
    hostile = "<script>alert('a ticket')</script>"
    journal = Journal(tmp_path / "dbt" / "runs", "d", "r")
    journal.keep(
        [
            node("model.p.a", "error", message=hostile, sql=f"select '{hostile}'", log=(hostile,)),
            node("model.p.other", tasks=("dbt.other.run",)),
        ]
    )
    page = pages.task_page("d", "r", "dbt.a.run")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 3
    assert "model.p.a" in page
    assert "0.50 s, 3 rows, by build (try 1)" in page
    assert "model.p.other" not in page
    assert "No build of this run" in pages.task_page("d", "r", hostile)
    assert "<script" not in pages.task_page("d", "r", hostile)
