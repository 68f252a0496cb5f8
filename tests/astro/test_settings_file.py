"""airflow_settings.yaml and .env.example, read as the Astro CLI reads them, and registered in a real Airflow."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.astro.project import PYTHON, ROOT, cli_commands, misread, settings_file

REGISTER = """
import json, sys
from airflow.cli import cli_parser
parser = cli_parser.get_parser()
for command in json.loads(sys.argv[1]):
    args = parser.parse_args(command)
    args.func(args)
from airflow.models import Connection, Pool, Variable
from airflow.utils.session import create_session
with create_session() as session:
    kept = {
        "pools": {p.pool: [p.slots, p.description] for p in session.query(Pool) if p.pool != "default_pool"},
        "variables": {v.key: v.val for v in session.query(Variable)},
        "connections": {c.conn_id: [c.conn_type, c.host, c.password, c.extra_dejson] for c in session.query(Connection)},
    }
print("KEPT" + json.dumps(kept))
"""


def test_every_key_and_type_is_one_the_cli_knows():
    problems = [
        problem for kind, entries in settings_file().items() for entry in entries for problem in misread(kind, entry)
    ]
    assert problems == []


def test_no_entry_is_skipped():
    settings = settings_file()
    assert len(cli_commands(settings)) == sum(len(entries) for entries in settings.values())


def test_a_misspelt_key_a_wrong_type_and_an_entry_without_a_type_are_noticed():
    assert misread("pools", {"pool_name": "x", "pool_slots": 1}) == ["pool_slots is no key of pools"]
    assert misread("connections", {"conn_id": "x", "conn_port": "80"}) == ["conn_port is str"]
    assert cli_commands({"pools": [{"pool_name": "x"}], "variables": [], "connections": [{"conn_id": "y"}]}) == []


def test_the_file_holds_no_secret():
    keys = {key for entry in settings_file()["connections"] for key in entry}
    assert not keys & {"conn_password", "conn_login", "conn_uri"}


def test_no_value_breaks_the_quotes_the_cli_puts_around_it():
    assert "'" not in json.dumps(settings_file())


@pytest.mark.integration
def test_a_real_airflow_registers_every_entry(tmp_path: Path):
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    for command in (
        [str(PYTHON), "-m", "airflow", "db", "migrate"],
        [str(PYTHON), "-c", REGISTER, json.dumps(cli_commands(settings_file()))],
    ):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
    kept = json.loads(done.stdout.rpartition("KEPT")[2])

    assert kept == {
        "pools": {
            "warehouse": [1, "DuckDB has one writer"],
            "pylon_def": [4, "One task per Pylon rate bucket"],
            "plain_def": [4, "One task per Plain rate bucket"],
        },
        "variables": {},
        "connections": {
            "pylon_def": ["generic", None, None, {"region": "us"}],
            "plain_def": ["generic", None, None, {}],
        },
    }


def test_every_variable_offered_in_env_example_is_read_somewhere():
    offered = re.findall(r"^# ([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M)
    read = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "include").rglob("*")
        if path.suffix in (".py", ".yml", ".sql")
    )
    assert len(offered) > 5
    # a connection's own variables are read under a name made of the connection's: pylon_def → PYLON_DEF_TOKEN
    made = {f"{conn}_{what}" for conn in ("PYLON_DEF", "PLAIN_DEF") for what in ("TOKEN", "URL")}
    assert [name for name in offered if name not in read and name not in made] == []


def test_env_example_fills_nothing_in():
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.strip() and not line.startswith("#")] == []
