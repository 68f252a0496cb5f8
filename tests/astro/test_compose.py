"""The compose file adds the data volume to every Airflow service, and the simulated vendors beside the scheduler."""

import ast
import json
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.astro.project import PYTHON, ROOT, compose

AIRFLOW_SERVICES = ("scheduler", "dag-processor", "api-server", "triggerer")
DATA = "/usr/local/airflow/.data"


def vendors_command() -> tuple[list[str], list[str]]:
    """What the vendors service installs, and how it then starts the simulators."""
    install, _, serve = compose()["services"]["vendors"]["command"][-1].partition(" && exec ")
    return shlex.split(install), shlex.split(serve)


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


@pytest.mark.parametrize("service", AIRFLOW_SERVICES)
def test_every_airflow_service_has_the_data_volume(service: str):
    described = compose()["services"][service]
    assert described["volumes"] == [f"support_data:{DATA}"]
    assert "support_data" in compose()["volumes"]


def test_the_connections_lead_to_the_simulators():
    environment = compose()["services"]["scheduler"]["environment"]
    _, serve = vendors_command()
    for system in ("pylon", "plain"):
        connection = json.loads(environment[f"AIRFLOW_CONN_{system.upper()}_DEF"])
        url = urlsplit(connection["host"])
        assert (url.scheme, url.hostname) == ("http", "127.0.0.1")
        assert str(url.port) == option(serve, f"--{system}-port")


def test_the_simulators_share_the_network_of_the_service_that_runs_tasks():
    assert compose()["services"]["vendors"]["network_mode"] == "service:scheduler"
    assert "scheduler" in compose()["services"]["vendors"]["depends_on"]


def test_the_vendors_service_installs_what_the_simulators_import():
    imported = set()
    for path in (ROOT / "include" / "simulators").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                imported.add(node.module.split(".")[0])
    packages = {"graphql": "graphql-core"}
    needed = {packages.get(name, name) for name in imported - set(sys.stdlib_module_names) - {"include"}}
    install, _ = vendors_command()
    assert needed <= set(install)


def test_what_the_vendors_service_mounts_exists():
    mounts = [volume.split(":")[0] for volume in compose()["services"]["vendors"]["volumes"]]
    assert [mount for mount in mounts if mount.startswith("./") and not (ROOT / mount).exists()] == []


@pytest.mark.integration
def test_the_vendors_service_starts_the_simulators_and_their_clock_is_where_airflow_reads_it(tmp_path: Path):
    _, serve = vendors_command()
    clock = Path(compose()["services"]["scheduler"]["environment"]["SUPPORT_CLOCK_FILE"]).relative_to(DATA)
    changed = {"python": str(PYTHON), "/data": str(tmp_path), option(serve, "--pylon-port"): "0"}
    changed[option(serve, "--plain-port")] = "0"

    with subprocess.Popen(
        [changed.get(word, word) for word in serve], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as simulators:
        try:
            assert simulators.stdout is not None
            assert simulators.stdout.readline().startswith("ready pylon=http://127.0.0.1:")
            assert (tmp_path / clock).is_file()
        finally:
            simulators.terminate()
            assert simulators.wait(timeout=30) == 0
