"""The tables of the README, made from the DAGs, the inventory and the dbt project, so that they cannot be out of date.

python -m include.orchestration.readme [--check]
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.settings import DBT_PROJECT_DIR, REPO, Settings, load_settings

README = REPO / "README.md"
_BLOCK = re.compile(r"(<!-- table:(?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def dag_rows(dags: Iterable[Any]) -> list[tuple[str, str, str]]:
    """Every DAG with when it runs and what it does."""
    rows = []
    for dag in sorted(dags, key=lambda dag: str(dag.dag_id)):
        cron = getattr(dag.timetable, "expression", None)
        condition = getattr(dag.timetable, "asset_condition", None)
        assets = [f"`{asset.name}`" for asset in getattr(condition, "objects", ())]
        otherwise = f"after {', '.join(assets)}" if assets else "on demand"
        when = f"`{cron}` {dag.timetable.timezone}" if cron else otherwise
        rows.append((f"`{dag.dag_id}`", when, str(dag.description)))
    return rows


def stream_rows(current: Settings) -> list[tuple[str, str, str, str, str]]:
    """Every stream a client loads: where it goes, how, and what a batch proves."""
    return [
        (
            f"`{stream.name}`",
            client.code,
            f"`{stream.table}`",
            str(stream.spec.strategy),
            stream.spec.description,
        )
        for client in current.clients.values()
        for stream in client.streams
    ]


def model_rows(nodes: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Every dbt model, from Silver to the reports, with the first sentence of its description."""
    order = ("silver", "dim_", "int_", "fct_", "agg_", "rpt_", "exp_")

    def rank(node: Mapping[str, Any]) -> tuple[int, str]:
        prefixes = [i for i, prefix in enumerate(order) if node["name"].startswith(prefix)]
        return (prefixes[0] if prefixes else 0, node["name"])

    models = sorted((node for node in nodes if node["resource_type"] == "model"), key=rank)
    return [
        (
            f"`{node['name']}`",
            str(node["config"]["materialized"]),
            " ".join(node["description"].split(". ")[0].split()).rstrip(".") + ".",
        )
        for node in models
    ]


def filled(text: str, tables: Mapping[str, str]) -> str:
    """A text with each marked block replaced by its table."""
    return _BLOCK.sub(lambda match: f"{match[1]}{tables[match['name']]}{match[3]}", text)


def tables() -> dict[str, str]:
    """All tables of the README."""
    current = load_settings()
    return {
        "dags": table(("DAG", "when", "what it does"), dag_rows(_dags())),
        "streams": table(("stream", "client", "Bronze table", "strategy", "what it is"), stream_rows(current)),
        "models": table(("model", "kind", "grain"), model_rows(_nodes(current))),
    }


def _dags() -> Iterable[Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(REPO / "dags"))
    if bag.import_errors:
        raise SystemExit("\n".join(f"{path}: {error}" for path, error in bag.import_errors.items()))
    return bag.dags.values()


def _nodes(current: Settings) -> Iterable[Mapping[str, Any]]:
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    os.environ.update(current.dbt_environment | current.dbt_paths)
    project = str(DBT_PROJECT_DIR)
    parsed = dbtRunner().invoke(
        ["parse", "--quiet", "--project-dir", project, "--profiles-dir", project, "--target", current.target]
    )
    if not isinstance(parsed.result, Manifest):
        raise SystemExit(f"the dbt project cannot be parsed: {parsed.exception}")
    nodes: Mapping[str, Mapping[str, Any]] = parsed.result.writable_manifest().to_dict(omit_none=False)["nodes"]
    return nodes.values()


def main(arguments: Sequence[str] | None = None, readme: Path = README) -> int:
    """The command line."""
    parser = argparse.ArgumentParser("python -m include.orchestration.readme", description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a table is out of date")
    options = parser.parse_args(arguments)
    text = readme.read_text()
    wanted = filled(text, tables())
    if wanted == text:
        return 0
    if options.check:
        print("the tables of README.md are out of date; run `python -m include.orchestration.readme`", file=sys.stderr)
        return 1
    readme.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
