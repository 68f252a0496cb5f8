"""The tables of the README, made from the DAGs, the inventory and the dbt project, so that they cannot be out of date.

python -m include.orchestration.readme [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.orchestration.generated import filled, keep, parsed_manifest, table
from include.settings import REPO, Settings, load_settings

README = REPO / "README.md"


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


def tables() -> dict[str, str]:
    """All tables of the README."""
    current = load_settings()
    return {
        "dags": table(("DAG", "when", "what it does"), dag_rows(_dags())),
        "streams": table(("stream", "client", "Bronze table", "strategy", "what it is"), stream_rows(current)),
        "models": table(("model", "kind", "grain"), model_rows(parsed_manifest(current)["nodes"].values())),
    }


def _dags() -> Iterable[Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(REPO / "dags"))
    if bag.import_errors:
        raise SystemExit("\n".join(f"{path}: {error}" for path, error in bag.import_errors.items()))
    return bag.dags.values()


def main(arguments: Sequence[str] | None = None, readme: Path = README) -> int:
    """The command line."""
    return keep(
        arguments, "include.orchestration.readme", __doc__, readme, lambda: filled(readme.read_text(), tables())
    )


if __name__ == "__main__":
    sys.exit(main())
