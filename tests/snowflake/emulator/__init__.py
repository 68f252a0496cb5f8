"""A stand-in for Snowflake, for tests only: fakesnow over DuckDB, behind the real HTTP protocol, with corrections.

It is a server in a process of its own on a free port of loopback, so what is tested are the real connector and the real
dbt adapter, as they are. It is more lenient than Snowflake: what it accepts is not thereby valid (docs/snowflake.md).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
import snowflake.connector
from snowflake.connector import SnowflakeConnection


@dataclass(frozen=True)
class Emulator:
    """A running one."""

    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What dbt and the loader need in the environment to find it."""
        return {
            "SNOWFLAKE_ACCOUNT": "emulator",
            "SNOWFLAKE_USER": "LOADER",
            "SNOWFLAKE_PASSWORD": "any",
            "SNOWFLAKE_HOST": "127.0.0.1",
            "SNOWFLAKE_PORT": str(self.port),
            "SNOWFLAKE_PROTOCOL": "http",
            # The connector looks for clouds to be in before it logs in, which takes seconds where there is none.
            "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
        }

    @contextmanager
    def connect(self, database: str, **more: Any) -> Iterator[SnowflakeConnection]:
        """A session in a database, which is created if it is not there."""
        connection = snowflake.connector.connect(
            account="emulator",
            user="TEST",
            password="any",
            host="127.0.0.1",
            port=self.port,
            protocol="http",
            database=database,
            login_timeout=10,
            network_timeout=30,
            platform_detection_timeout_seconds=0.0,
            **more,
        )
        try:
            yield connection
        finally:
            connection.close()

    def query(self, sql: str, database: str = "DEF_DB_DEV", **more: Any) -> list[tuple[Any, ...]]:
        """The rows of one query."""
        with self.connect(database, **more) as connection, connection.cursor() as cursor:
            return [tuple(row) for row in cursor.execute(sql).fetchall()]

    def fail(self, matching: str, errno: int, sqlstate: str, message: str, *, times: int = 1) -> None:
        """Refuse the next statements (or with the pattern `login`, logins) that match, as Snowflake would."""
        self._control("fail", matching=matching, errno=errno, sqlstate=sqlstate, message=message, times=times)

    def expire_idle_transactions(self) -> None:
        """What Snowflake does after five minutes: a transaction that nobody continues and that is in the way ends."""
        self._control("expire")

    def _control(self, action: str, **facts: Any) -> None:
        requests.post(f"http://127.0.0.1:{self.port}/emulator/{action}", json=facts, timeout=10).raise_for_status()


@contextmanager
def running() -> Iterator[Emulator]:
    """Start one, empty, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.snowflake.emulator"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("port "), "the emulator did not start"
        yield Emulator(int(said.split()[1]))
    finally:
        process.communicate(timeout=20)  # it ends when its input does
