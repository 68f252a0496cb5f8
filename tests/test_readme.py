"""The README: what it links to is there, and its tables say what the project is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from include.orchestration.generated import filled, table
from include.settings import REPO

PAGES = [REPO / "README.md", *sorted((REPO / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPO)))
def test_every_test_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text())
    missing = [f"{file}::{test}" for file, test in named if f"def {test}(" not in (REPO / file).read_text()]
    assert missing == []


def test_every_make_target_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", (REPO / "README.md").read_text(), re.MULTILINE))
    assert named <= targets
    assert {"run", "test", "up"} <= named


def test_a_table_replaces_what_stood_between_its_marks() -> None:
    text = "a\n<!-- table:x -->\nold\n<!-- end -->\nb\n"
    assert filled(text, {"x": table(("h",), [("r",)])}) == (
        "a\n<!-- table:x -->\n| h |\n| --- |\n| r |\n<!-- end -->\nb\n"
    )


@pytest.mark.integration
def test_the_tables_are_up_to_date(tmp_path: Path) -> None:
    environment = os.environ | {
        "SUPPORT_DATA_DIR": str(tmp_path / "data"),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "PYTHONPATH": str(REPO),
    }
    for module, *arguments in (
        ("include.orchestration.manifest", "build"),
        ("include.orchestration.readme", "--check"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=REPO,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
