from __future__ import annotations

import json
import pydoc
import stat
from pathlib import Path

import pytest

from include.local.credentials import Secrets, ensure_secrets
from include.local.environment import REPO, Vendors, airflow_env, api_server_env, wants_simulators
from include.settings import load_settings


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return ensure_secrets(tmp_path / "airflow")


@pytest.mark.parametrize(
    ("environment", "simulated"),
    [
        ({}, True),
        ({"PYLON_DEF_TOKEN": ""}, True),
        ({"PYLON_DEF_TOKEN": "t"}, False),
        ({"PLAIN_DEF_TOKEN": "t"}, False),
        ({"AIRFLOW_CONN_PYLON_DEF": '{"conn_type": "http"}'}, False),
        ({"PYLON_XYZ_TOKEN": "t"}, True),
    ],
)
def test_the_vendors_are_simulated_when_none_is_configured(environment: dict[str, str], simulated: bool) -> None:
    assert wants_simulators(environment) is simulated


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    first = ensure_secrets(tmp_path)

    assert ensure_secrets(tmp_path) == first
    assert set(first.passwords) == {"admin", "fast_forward"}
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_password_a_person_chose_stays(tmp_path: Path) -> None:
    (tmp_path / "passwords.json").write_text('{"admin": "mine"}')

    made = ensure_secrets(tmp_path)

    assert made.passwords["admin"] == "mine"
    assert made.passwords["fast_forward"]


def test_no_stray_airflow_or_dbt_setting_of_the_shell_reaches_a_process(tmp_path: Path, secrets: Secrets) -> None:
    stray = {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Tokyo",
        "AIRFLOW_HOME": "/elsewhere",
        "DBT_TARGET_PATH": "/elsewhere",
        "PYTHONPATH": "/elsewhere",
    }

    env = airflow_env(stray | {"PATH": "/bin", "HOME": "/home/me"}, tmp_path, secrets)

    assert env["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW__CORE__DEFAULT_TIMEZONE" not in env
    assert env["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert "/elsewhere" not in " ".join(env.values())
    assert (env["HOME"], env["PATH"]) == ("/home/me", f"{REPO / '.venv' / 'bin'}:/bin")


def test_tokens_and_connections_of_the_shell_are_handed_on(tmp_path: Path, secrets: Secrets) -> None:
    own = {"PYLON_DEF_TOKEN": "t", "AIRFLOW_CONN_PYLON_DEF": "c", "SNOWFLAKE_ACCOUNT": "a", "SUPPORT_TARGET": "dev"}

    assert own.items() <= airflow_env(own, tmp_path, secrets).items()


def test_everything_is_told_to_listen_on_loopback_only(tmp_path: Path, secrets: Secrets) -> None:
    env = airflow_env({}, tmp_path, secrets, port=9123)

    assert env["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:9123/execution/"


def test_the_pipeline_gets_the_least_user_that_may_mark_its_tasks(tmp_path: Path, secrets: Secrets) -> None:
    env = airflow_env({}, tmp_path, secrets, port=9123)

    assert env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "admin:admin,fast_forward:user"
    assert json.loads(env["AIRFLOW_CONN_AIRFLOW_API"]) == {
        "conn_type": "http",
        "host": "http://127.0.0.1:9123",
        "login": "fast_forward",
        "password": secrets.passwords["fast_forward"],
    }


def test_simulated_vendors_bring_their_connections_and_their_clock(tmp_path: Path, secrets: Secrets) -> None:
    clock = tmp_path / "clock.json"
    clock.write_text('{"now": "2026-01-05T06:20:00Z"}')

    env = airflow_env({}, tmp_path, secrets, vendors=Vendors("http://127.0.0.1:1", "http://127.0.0.1:2", clock))

    assert json.loads(env["AIRFLOW_CONN_PYLON_DEF"])["host"] == "http://127.0.0.1:1"
    assert json.loads(env["AIRFLOW_CONN_PLAIN_DEF"])["host"] == "http://127.0.0.1:2"
    assert load_settings(env).now().isoformat() == "2026-01-05T06:20:00+00:00"


def test_without_them_there_is_neither(tmp_path: Path, secrets: Secrets) -> None:
    assert not {"AIRFLOW_CONN_PYLON_DEF", "SUPPORT_CLOCK_FILE"} & set(airflow_env({}, tmp_path, secrets))


def test_dags_start_by_the_clock_only_when_asked(tmp_path: Path, secrets: Secrets) -> None:
    assert airflow_env({}, tmp_path, secrets)["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] == "False"
    assert airflow_env({}, tmp_path, secrets, schedules=True)["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] == "True"


def test_the_api_server_waits_less_for_the_database_than_the_others(tmp_path: Path, secrets: Secrets) -> None:
    env = airflow_env({}, tmp_path, secrets)
    name = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS"

    def waits(path: str) -> int:
        settings: dict[str, int] = pydoc.locate(path)  # type: ignore[assignment]  # as Airflow finds them
        return settings["timeout"]

    assert waits(api_server_env(env)[name]) < 5 < waits(env[name])


def test_a_proxy_is_for_the_vendors_and_not_for_this_machine(tmp_path: Path, secrets: Secrets) -> None:
    env = airflow_env({"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "intranet"}, tmp_path, secrets)

    assert env["HTTPS_PROXY"] == "http://proxy:3128"
    assert env["NO_PROXY"] == "intranet,127.0.0.1,localhost"
    assert "no_proxy" not in env
