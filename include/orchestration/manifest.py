"""The slim manifest: what Cosmos reads at parse time instead of running dbt.

One file per selector, holding only the selected nodes and only the fields Cosmos looks at, and one `built.json` that
says from which state of the dbt project they were made. A DAG file refuses a manifest of another state.

    python -m include.orchestration.manifest build [--force]
    python -m include.orchestration.manifest check
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from include.orchestration.graph import ancestors
from include.settings import DBT_PROJECT_DIR, ConfigurationError, Settings, load_settings, settings

SELECTORS = ("reference", "client_def")
MARTS = "marts"
MART_PREFIXES = ("dim_", "agg_", "rpt_")
BUILT = "built.json"
PARTIAL_PARSE = "partial_parse.msgpack"
REBUILD = "run `make manifest` to build it"

_FIELDS = (
    "unique_id",
    "name",
    "original_file_path",
    "package_name",
    "resource_type",
    "tags",
    "config",
    "fqn",
    "depends_on",
    "database",
    "schema",
    "alias",
    "path",
    "attached_node",
    "test_metadata",
    "column_name",
    "patch_path",
)
_IDS = ("--output", "json", "--output-keys", "unique_id")
# unit tests are for developers and CI: a nightly run neither shows nor runs them
_SHOWN = ("model", "seed", "snapshot", "test")


def project_checksum(project: Path = DBT_PROJECT_DIR) -> str:
    """The state of the dbt project: every file dbt reads, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        relative = path.relative_to(project)
        if path.is_file() and relative.parts[0] not in ("target", "logs", "dbt_packages") and path.name[0] != ".":
            digest.update(f"{relative}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def manifest_path(selector: str, current: Settings) -> Path:
    """The slim manifest of one selector, or what else is kept beside it. Raises if it was made from another state."""
    built = current.manifest_dir / BUILT
    try:
        made_from = json.loads(built.read_text())
    except FileNotFoundError:
        raise ConfigurationError(f"the dbt manifest {built} is missing; {REBUILD}") from None
    if made_from != _state(current):
        raise ConfigurationError(f"the dbt manifest {built} was made from another state of include/dbt; {REBUILD}")
    return current.manifest_dir / f"{selector}.json"


def slim(manifest: Mapping[str, Any], selected: Iterable[str]) -> dict[str, Any]:
    """The part of a manifest that shows the selected nodes. Holds nothing that changes from build to build."""
    chosen = set(selected)
    return {
        "metadata": {key: manifest["metadata"][key] for key in ("project_name", "dbt_schema_version", "adapter_type")},
        "nodes": {
            unique_id: {field: node[field] for field in _FIELDS if field in node}
            for unique_id, node in sorted(manifest["nodes"].items())
            if unique_id in chosen and node["resource_type"] in _SHOWN
        },
        "sources": {},
        "exposures": {},
        "selectors": {},
    }


def marts_of(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Every mart of a manifest, with the Bronze tables it is made of."""
    above = ancestors(nodes)
    return {
        str(node["name"]): sorted({each.split(".")[-1] for each in above(unique_id) if each.startswith("source.")})
        for unique_id, node in sorted(nodes.items())
        if node["resource_type"] == "model" and node["name"].startswith(MART_PREFIXES)
    }


def build(current: Settings, *, force: bool = False) -> bool:
    """Make the manifests unless they are there already. Says whether it did anything."""
    if not force:
        try:
            manifest_path(SELECTORS[0], current)
        except ConfigurationError:
            pass
        else:
            return False
    # slow to import, and a check does not need them
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    state = _state(current)
    os.environ.update(current.dbt_environment | current.dbt_paths)
    common = ["--quiet", "--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)]
    # Named as Cosmos names them: dbt takes up an earlier parse only if it was told the same.
    common += ["--profile", "default", "--target", str(current.target)]
    parsed = dbtRunner().invoke(["parse", *common])
    if not isinstance(parsed.result, Manifest):
        raise ConfigurationError(f"the dbt project cannot be parsed: {' '.join(str(parsed.exception).split())}")
    runner = dbtRunner(manifest=parsed.result)
    manifest = parsed.result.writable_manifest().to_dict(omit_none=False)
    partial = current.manifest_dir.with_name(current.manifest_dir.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for selector in SELECTORS:
        with contextlib.redirect_stdout(io.StringIO()):  # dbt prints the list as well, however quiet it is told to be
            listed = runner.invoke(["ls", *common, "--selector", selector, *_IDS])
        if not isinstance(listed.result, list):
            raise ConfigurationError(f"dbt cannot list selector {selector}: {listed.exception}")
        selected = [json.loads(line)["unique_id"] for line in listed.result]
        (partial / f"{selector}.json").write_text(json.dumps(slim(manifest, selected)))
    (partial / f"{MARTS}.json").write_text(json.dumps(marts_of(manifest["nodes"])))
    # dbt's own memory of the parse, from which the first build of a new data folder starts.
    shutil.copyfile(Path(current.dbt_paths["DBT_TARGET_PATH"]) / PARTIAL_PARSE, partial / PARTIAL_PARSE)
    (partial / BUILT).write_text(json.dumps(state))
    shutil.rmtree(current.manifest_dir, ignore_errors=True)
    partial.rename(current.manifest_dir)
    return True


def seed_partial_parse(manifest_dir: Path, target_dir: Path) -> None:
    """Let dbt start from the parse that made the manifests, where that is newer than a target folder's own."""
    made, cached = manifest_dir / PARTIAL_PARSE, target_dir / PARTIAL_PARSE
    if made.exists() and (not cached.exists() or cached.stat().st_mtime < made.stat().st_mtime):
        cached.parent.mkdir(parents=True, exist_ok=True)
        partial = cached.with_suffix(".partial")
        shutil.copyfile(made, partial)
        partial.replace(cached)


def _state(current: Settings) -> dict[str, Any]:
    made = [*SELECTORS, MARTS]
    return {"project": project_checksum(), "target": str(current.target), "made": made}


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m include.orchestration.manifest", description=__doc__.split("\n")[0]
    )
    parser.add_argument("verb", choices=("build", "check"))
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    options = parser.parse_args(arguments)
    try:
        current = load_settings() if arguments is not None else settings()
        if options.verb == "check":
            print(f"manifest is up to date: {manifest_path(SELECTORS[0], current).parent}")
            return 0
        started = time.monotonic()
        if build(current, force=options.force):
            print(f"manifest built in {time.monotonic() - started:.1f} s: {current.manifest_dir}")
        else:
            print(f"manifest is up to date: {current.manifest_dir}")
    except ConfigurationError as error:
        print(f"configuration: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
