"""How the Astro CLI and Docker read this project's files, as far as it can be told without either."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable)

# settings/types.go of the Astro CLI: what it reads, and as what
CONNECTION = {
    "conn_id": str,
    "conn_type": str,
    "conn_host": str,
    "conn_schema": str,
    "conn_login": str,
    "conn_password": str,
    "conn_port": int,
    "conn_uri": str,
    "conn_extra": (dict, str),
}
POOL = {"pool_name": str, "pool_slot": int, "pool_description": str}
VARIABLE = {"variable_name": str, "variable_value": str}


def settings_file() -> dict[str, list[dict[str, Any]]]:
    read = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text(encoding="utf-8"))["airflow"]
    return {kind: read.get(kind) or [] for kind in ("connections", "pools", "variables")}


def misread(kind: str, entry: dict[str, Any]) -> list[str]:
    """What the CLI would ignore or refuse in an entry: a key it does not know, a value of another type."""
    known: dict[str, Any] = {"connections": CONNECTION, "pools": POOL, "variables": VARIABLE}[kind]
    unknown = [f"{key} is no key of {kind}" for key in entry if key not in known]
    wrong = [
        f"{key} is {type(value).__name__}"
        for key, value in entry.items()
        if key in known and not isinstance(value, known[key])
    ]
    return unknown + wrong


def cli_commands(settings: dict[str, list[dict[str, Any]]]) -> list[list[str]]:
    """The `airflow` commands the CLI makes of the file; an entry it would skip makes none."""
    commands = [
        ["pools", "set", pool["pool_name"], str(pool["pool_slot"]), pool.get("pool_description") or ""]
        for pool in settings["pools"]
        if pool.get("pool_name") and pool.get("pool_slot")
    ]
    commands += [
        ["variables", "set", variable["variable_name"], variable.get("variable_value") or ""]
        for variable in settings["variables"]
        if variable.get("variable_name")
    ]
    for entry in settings["connections"]:
        if not entry.get("conn_id") or not (entry.get("conn_type") or entry.get("conn_uri")):
            continue
        command = ["connections", "add", entry["conn_id"]]
        for key in ("type", "extra", "host", "login", "password", "schema", "port"):
            value = entry.get(f"conn_{key}")
            if value:
                command += [f"--conn-{key}", json.dumps(value) if isinstance(value, dict) else str(value)]
        commands.append(command)
    return commands


@dataclass(frozen=True)
class Instruction:
    keyword: str
    argument: str


def dockerfile() -> list[Instruction]:
    """The Dockerfile's instructions, each on one line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", "", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    return [Instruction(*line.split(maxsplit=1)) for line in lines]


def run_step(containing: str) -> str:
    """The script of the one RUN instruction that contains these words."""
    (script,) = (each.argument for each in dockerfile() if each.keyword == "RUN" and containing in each.argument)
    return script


def ignored_by_docker(path: str) -> bool:
    """Whether .dockerignore keeps a path of the project, or a folder above it, out of the build."""
    patterns = [
        line.strip().rstrip("/")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    parts = PurePosixPath(path).parts
    for depth in range(1, len(parts) + 1):
        above = "/".join(parts[:depth])
        for pattern in patterns:
            if fnmatch(above, pattern) or (pattern.startswith("**/") and fnmatch(parts[depth - 1], pattern[3:])):
                return True
    return False


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.override.yml").read_text(encoding="utf-8"))
    return read
