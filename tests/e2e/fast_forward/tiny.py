"""The tests' own dbt project: where it is, and how its manifests are made.

python -m tests.e2e.fast_forward.tiny     copies it into the data folder and makes them
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from include.orchestration.manifest import PARTIAL_PARSE, slim
from include.orchestration.medallion import DbtProject
from include.settings import REPO, settings

SELECTORS = ("everything", "beginning")


def folder() -> Path:
    return settings().data_dir / "tiny"


def switches() -> Path:
    return settings().data_dir / "switches"


def project(selector: str) -> DbtProject:
    return DbtProject(
        folder=folder(),
        selector=selector,
        slim_manifest=settings().data_dir / "manifests" / f"{selector}.json",
        profile="tiny",
        target="local",
        state=settings().dbt_dir,
        environment=settings().dbt_environment | {"FF_SWITCHES": str(switches())},
    )


def main() -> None:
    from dbt.cli.main import dbtRunner

    shutil.copytree(Path(__file__).parent / "project", folder())
    shutil.copy(REPO / "include" / "dbt" / "macros" / "engine" / "statement.sql", folder() / "macros")
    for made in (switches(), settings().warehouse_dir, settings().data_dir / "manifests"):
        made.mkdir(parents=True, exist_ok=True)
    (switches() / "waits").touch()
    os.environ.update(project("everything").environment)
    options = ["--quiet", "--project-dir", str(folder()), "--profiles-dir", str(folder())]
    options += ["--profile", "tiny", "--target", "local", "--target-path", str(settings().data_dir / "target")]
    options += ["--log-path", str(settings().data_dir / "target")]
    runner = dbtRunner(manifest=(manifest := dbtRunner().invoke(["parse", *options]).result))
    for selector in SELECTORS:
        listed = runner.invoke(
            ["ls", *options, "--selector", selector, "--output", "json", "--output-keys", "unique_id"]
        ).result
        chosen = [json.loads(line)["unique_id"] for line in listed]
        project(selector).slim_manifest.write_text(json.dumps(slim(manifest.writable_manifest().to_dict(), chosen)))
    shutil.copy(settings().data_dir / "target" / PARTIAL_PARSE, settings().data_dir / "manifests")


if __name__ == "__main__":
    main()
