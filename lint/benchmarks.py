"""Hold documents to benchmarks/results: the page is what the results say, and so is every number that links to it.

A document names a measured number only as a link, `[8.4%](../benchmarks/README.md#silver-increment)`, and the number
must be one of that benchmark's figures or medians, as the page shows it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import report

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./)*benchmarks/README\.md(?:#([a-z0-9-]+))?\)")
NUMBER = re.compile(r"\d")


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def wrong_links(text: str, known: dict[str, set[str]]) -> Iterator[str]:
    """What is wrong with the links of one document."""
    for said, part in LINK.findall(text):
        if part and part not in known:
            yield f"there is no benchmark {part}"
        elif NUMBER.search(said) and said not in known.get(part, set()):
            yield f"[{said}] is no figure of {part or 'any benchmark'}: {', '.join(sorted(known.get(part, ())))}"


def shown(result: dict[str, Any]) -> set[str]:
    """Every number of a result as a document may write it."""
    figures = {report.value(figure) for figure in result["figures"]}
    medians = {f"{report.number(series['median'])} {series['unit']}".strip() for series in result["series"]}
    return figures | medians


def main() -> int:
    results = report.read_results()
    known = {report.anchor(str(result["name"])): shown(result) for result in results} | {"": set()}
    wrong = [
        f"{path.relative_to(ROOT)}: {what}" for path in documents() for what in wrong_links(path.read_text(), known)
    ]
    if not report.is_current():
        wrong.append("benchmarks/README.md is not what benchmarks/results say; write it with `make bench REPORT=1`")
    print("\n".join(wrong) or f"{len(results)} results, and every number that links to them is theirs")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
