"""The one place that says how the local Airflow is configured: the environment of every process of a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from include.local.credentials import FAST_FORWARD, USERS, Secrets
from include.local.folder import REPO

VENV_BIN = REPO / ".venv" / "bin"

# Airflow's processes write to one SQLite file, and each waits for the others. The API server must not wait long: its
# event loop commits the action log itself, and may so wait for a request whose own commit waits for the event loop.
# Only the timeout ends that; the refused request is then repeated by whoever sent it.
SQLITE = {"timeout": 30, "check_same_thread": False}
SQLITE_API_SERVER = {"timeout": 2, "check_same_thread": False}

# What a person's shell hands on. Everything else an Airflow or dbt process sees is decided here, so that a stray
# AIRFLOW__ or DBT_ variable cannot make a run on one machine differ from a run on another.
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
PASSED_ON = ("HOME", "LANG", "LC_ALL", "TZ", "USER", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", *PROXIES)
PASSED_ON_PREFIXES = (
    *("SUPPORT_", "PYLON_", "PLAIN_", "AIRFLOW_CONN_", "AIRFLOW_VAR_"),
    *("SNOWFLAKE_", "MOTHERDUCK_", "AWS_", "AZURE_", "GOOGLE_"),  # where warehouse and landing may be
)
LOOPBACK = "127.0.0.1,localhost"


@dataclass(frozen=True)
class Vendors:
    """Simulated vendors that are running: where, and the file that holds their clock."""

    pylon_url: str
    plain_url: str
    clock_file: Path


def wants_simulators(environment: Mapping[str, str], client: str = "def") -> bool:
    """Whether no vendor is configured, neither by token nor by connection: then the vendors are simulated."""
    suffix = client.upper()
    return not any(
        environment.get(name)
        for system in ("PYLON", "PLAIN")
        for name in (f"{system}_{suffix}_TOKEN", f"AIRFLOW_CONN_{system}_{suffix}")
    )


def airflow_env(
    base: Mapping[str, str],
    data_dir: Path,
    secrets: Secrets,
    *,
    port: int = 8080,
    vendors: Vendors | None = None,
    schedules: bool = False,
) -> dict[str, str]:
    """The whole environment of an Airflow process of this data folder.

    `base` is the person's own environment, `port` where the API server listens, `schedules` whether DAGs start by
    the clock.
    """
    home = data_dir / "airflow"
    cache = data_dir / "cache"
    url = f"http://127.0.0.1:{port}"
    env = {name: value for name, value in base.items() if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)}
    env.pop("no_proxy", None)
    env |= {
        "PATH": f"{VENV_BIN}:{base.get('PATH', '/usr/bin:/bin')}",
        "PYTHONPATH": str(REPO),
        "PYTHONUNBUFFERED": "1",
        "SUPPORT_DATA_DIR": str(data_dir),
        # A proxy is for the vendors, not for what these processes say to each other.
        "NO_PROXY": ",".join(filter(None, (base.get("NO_PROXY") or base.get("no_proxy"), LOOPBACK))),
        # Nothing outside the repo is written to, and nobody is told anything.
        "XDG_CACHE_HOME": str(cache),
        "XDG_CONFIG_HOME": str(cache / "config"),
        "DO_NOT_TRACK": "1",
        "SCARF_NO_ANALYTICS": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        # where things are
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "include.local.environment.SQLITE",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC": "include.local.environment.SQLITE",
        "AIRFLOW__COSMOS__CACHE_DIR": str(data_dir / "dbt" / "cosmos"),
        # one machine, loopback only
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "include.local.environment.hostname",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__MAXIMUM_PAGE_LIMIT": "1000",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "200",
        # who may do what
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(secrets.passwords_file),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__FERNET_KEY": secrets.fernet_key,
        "AIRFLOW__API__SECRET_KEY": secrets.api_secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.jwt_secret,
        # The pipeline marks its own tasks through Airflow's public API with this connection.
        "AIRFLOW_CONN_AIRFLOW_API": json.dumps(
            {"conn_type": "http", "host": url, "login": FAST_FORWARD, "password": secrets.passwords[FAST_FORWARD]}
        ),
        # what runs, and when
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(schedules),
        # A person is waiting: short sleeps, early discovery, and a database that answers in a millisecond anyway.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        # A scheduler that is silent for longer than this takes its own running tasks for orphans and starts them again.
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "60",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY": "64",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        # A file that was edited is read at once all the same; what it imports is seen within this time.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "2",
        "AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
        # Files keep everything; what is said aloud is warnings.
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        "AIRFLOW__LOGGING__UVICORN_LOGGING_LEVEL": "WARNING",
    }
    if vendors:
        env |= {
            "SUPPORT_CLOCK_FILE": str(vendors.clock_file),
            "AIRFLOW_CONN_PYLON_DEF": _connection(vendors.pylon_url, "sim-pylon-token"),
            "AIRFLOW_CONN_PLAIN_DEF": _connection(vendors.plain_url, "plainApiKey_sim"),
        }
    return env


def api_server_env(env: Mapping[str, str]) -> dict[str, str]:
    """The same for the API server: it waits less for the database."""
    connect = "include.local.environment.SQLITE_API_SERVER"
    return {
        **env,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": connect,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC": connect,
    }


def _connection(url: str, token: str) -> str:
    # The simulators' rate limits are off, so nothing is gained by a gap between calls.
    extra = {"minimum_gap_seconds": 0}
    return json.dumps({"conn_type": "http", "host": url, "password": token, "extra": extra})


def hostname() -> str:
    """What Airflow calls this machine: everything of a local stack is here, so nothing needs to be looked up."""
    return "localhost"
