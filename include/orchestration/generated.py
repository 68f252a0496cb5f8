"""Pages and tables that are made from the project, and kept: what all of those share."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.settings import DBT_PROJECT_DIR, Settings

_BLOCK = re.compile(r"(<!-- table:(?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def filled(text: str, tables: Mapping[str, str]) -> str:
    """A text with each marked block replaced by its table."""
    return _BLOCK.sub(lambda match: f"{match[1]}{tables[match['name']]}{match[3]}", text)


def keep(arguments: Sequence[str] | None, module: str, about: str, page: Path, wanted: Callable[[], str]) -> int:
    """The command line of a module that makes a page: write it, or with --check say that it is out of date."""
    parser = argparse.ArgumentParser(f"python -m {module}", description=about.split("\n")[0])
    parser.add_argument("--check", action="store_true", help=f"change nothing; fail if {page.name} is out of date")
    options = parser.parse_args(arguments)
    text = wanted()
    if page.exists() and page.read_text() == text:
        return 0
    if options.check:
        print(f"{page.name} is out of date; run `python -m {module}`", file=sys.stderr)
        return 1
    page.write_text(text)
    return 0


def parsed_manifest(current: Settings) -> Mapping[str, Any]:
    """The dbt project as it is now."""
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    os.environ.update(current.dbt_environment | current.dbt_paths)
    project = str(DBT_PROJECT_DIR)
    parsed = dbtRunner().invoke(
        ["parse", "--quiet", "--project-dir", project, "--profiles-dir", project, "--target", current.target]
    )
    if not isinstance(parsed.result, Manifest):
        raise SystemExit(f"the dbt project cannot be parsed: {parsed.exception}")
    found: Mapping[str, Any] = parsed.result.writable_manifest().to_dict(omit_none=False)
    return found
