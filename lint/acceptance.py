"""The acceptance list, held to what it claims.

    .venv/bin/python lint/acceptance.py .data/lint/target/manifest.json

docs/acceptance.md has one row per rule of the founding documents and one per conflict between them. Each row names in
backticks what proves it. This reads the page, and says which rule is missing or there twice, which row proves nothing
and gives no reason, and which named thing does not exist:

    tests/gold/test_x.py::test_y    a test
    rule:layer_is_known             a rule of lint/manifest_rules.py
    bouncer:check_x                 a check in lint/dbt-bouncer.yml
    gate:dbt-parse                  a gate of lint/run.py
    unit:a_ticket_counts_once       a dbt unit test
    data:model.column.not_null      a dbt data test, or a constraint of a table's contract; without a column
                                    data:model.conserves, of its own data:name
    model:fct_def_tickets           a model or seed
    exposure:volume_page            an exposure
    adr:031                         a decision in docs/adr
    file:.ci/run                    a file or folder of the repository
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "acceptance.md"

RULES = {"S0": 31, "S1": 46, "S2": 22, "S3": 22, "S4": 132, "C": 35}
STATES = ("proved", "partly", "later", "not here", "by hand")
UNPROVED = ("later", "not here", "by hand")  # these need a reason and no proof

ROW = re.compile(r"^\| ((?:S\d|C)-\d+) \|(.*)\|$")
REFERENCE = re.compile(r"`((?:tests/[\w/.]+::|rule:|bouncer:|gate:|unit:|data:|model:|exposure:|adr:|file:)[^`]+)`")


def wanted_ids() -> list[str]:
    """Every rule and conflict there is, as S4 numbers them with three digits and the others with two."""
    return [f"{name}-{n:0{3 if name == 'S4' else 2}}" for name, count in RULES.items() for n in range(1, count + 1)]


def known_references(manifest: Mapping[str, Any], root: Path = ROOT) -> set[str]:
    """Everything a row may name, besides files."""
    known: set[str] = set()
    for path in root.glob("tests/**/test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                known.add(f"{path.relative_to(root)}::{node.name}")
    rules = (root / "lint/manifest_rules.py").read_text(encoding="utf-8").split("\nRULES: ", 1)[1].split("\n)", 1)[0]
    known |= {f"rule:{name}" for name in re.findall(r"^    (\w+),$", rules, re.M)}
    bouncer = (root / "lint/dbt-bouncer.yml").read_text(encoding="utf-8")
    known |= {f"bouncer:{name}" for name in re.findall(r"^ +- name: (\w+)", bouncer, re.M)}
    gates = (root / "lint/run.py").read_text(encoding="utf-8")
    known |= {f"gate:{name}" for name in re.findall(r"^    Gate\(\s*\"([a-z-]+)\",", gates, re.M)}
    known |= {f"adr:{path.name[:3]}" for path in root.glob("docs/adr/*.md")}
    known |= {f"exposure:{node['name']}" for node in manifest["exposures"].values()}
    known |= {f"unit:{node['name']}" for node in manifest["unit_tests"].values()}
    for node in manifest["nodes"].values():
        if node["resource_type"] in ("model", "seed"):
            known.add(f"model:{node['name']}")
            known |= {
                f"data:{node['name']}.{name.lower()}.{constraint['type']}"
                for name, column in node["columns"].items()
                for constraint in column.get("constraints") or ()
            }
        elif node["resource_type"] == "test":
            known.add(_data_test(node))
    return known


def _data_test(node: Mapping[str, Any]) -> str:
    if not node.get("test_metadata"):
        return f"data:{node['name']}"
    parts = [
        (node.get("attached_node") or "").rsplit(".", 1)[-1],
        node.get("column_name"),
        node["test_metadata"]["name"],
    ]
    return "data:" + ".".join(part.lower() for part in parts if part)


def findings(text: str, known: set[str], root: Path = ROOT) -> Iterator[str]:
    """What is wrong with the page."""
    rows = [(match[1], match[2]) for line in text.splitlines() if (match := ROW.match(line))]
    seen = Counter(name for name, _ in rows)
    wanted = wanted_ids()
    yield from (f"{name} has no row" for name in wanted if not seen[name])
    yield from (f"{name} is no rule" for name in seen if name not in wanted)
    yield from (f"{name} has {count} rows" for name, count in seen.items() if count > 1)
    for name, rest in rows:
        cells = [cell.strip() for cell in rest.split(" | ")]
        if len(cells) != 3:
            yield f"{name} has {len(cells) + 1} columns instead of 4"
            continue
        requirement, state, proof = cells
        references = REFERENCE.findall(proof)
        if not requirement:
            yield f"{name} does not say what is asked"
        if state not in STATES:
            yield f"{name} is {state!r}, allowed are {', '.join(STATES)}"
        elif state in UNPROVED and not REFERENCE.sub("", proof).strip(" ,;."):
            yield f"{name} is {state} without a reason"
        elif state not in UNPROVED and not references:
            yield f"{name} is {state} and names nothing that shows it"
        for reference in references:
            if reference.startswith("file:"):
                if not (root / reference.removeprefix("file:")).exists():
                    yield f"{name} names {reference}, which does not exist"
            elif reference not in known:
                yield f"{name} names {reference}, which does not exist"


def main(argv: Sequence[str]) -> int:
    if len(argv) != 1:
        print("usage: acceptance.py MANIFEST", file=sys.stderr)
        return 2
    try:
        manifest = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{argv[0]} is no manifest ({error}); `dbt parse` writes one", file=sys.stderr)
        return 2
    text = PAGE.read_text(encoding="utf-8")
    wrong = list(findings(text, known_references(manifest)))
    states = Counter(match[2].split(" | ")[1].strip() for line in text.splitlines() if (match := ROW.match(line)))
    print("\n".join(wrong or [", ".join(f"{count} {state}" for state, count in states.most_common())]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
