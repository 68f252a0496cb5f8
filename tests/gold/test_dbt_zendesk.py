"""The page that compares us names tests; each of them exists."""

from __future__ import annotations

import re

from include.settings import DBT_PROJECT_DIR, REPO

PAGE = REPO / "docs" / "dbt_zendesk.md"


def test_every_test_the_page_names_exists() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    named = [re.findall(r"`(\w+)`", line.rsplit("|", 2)[1]) for line in rows]
    assert len(rows) == 11
    assert all(named)
    python = "\n".join(path.read_text() for path in (*REPO.glob("tests/**/test_*.py"), REPO / "lint/manifest_rules.py"))
    yaml = "\n".join(path.read_text() for path in DBT_PROJECT_DIR.glob("models/**/*.yml"))
    known = {
        *re.findall(r"^def (\w+)\(", python, re.MULTILINE),
        *re.findall(r"^  - name: (\w+)$", yaml, re.MULTILINE),
        *(path.stem for path in DBT_PROJECT_DIR.glob("macros/tests/*.sql")),
    }
    assert {name for names in named for name in names} - known == set()
