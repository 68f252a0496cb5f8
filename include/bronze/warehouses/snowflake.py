"""Bronze on Snowflake: landed parts are put on the table's stage, and one transaction copies them in with the ledger.

DDL ends a transaction there, so tables and new columns come first, outside of it: an empty column is all that a failed
load may leave. What is staged lies under the load's own name, so nothing older can be copied by mistake, and leaves
when the load is over.
"""

from __future__ import annotations

import json
import logging
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import snowflake.connector
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import Error, OperationalError

from include.bronze.landing import Landing, Manifest
from include.bronze.ledger import LEDGER, SCHEMA
from include.bronze.warehouses import BronzeTable, Loaded, WarehouseError
from include.bronze.warehouses.sql import SqlWarehouse, identifier, one_line
from include.snowflake import Login

log = logging.getLogger(__name__)

PARALLEL_UPLOADS = 4
# A statement takes at most 16384 rows of values.
ROWS_PER_INSERT = 5000

# What goes wrong for reasons outside this program: how Snowflake says it, and what a person can do.
EXPLANATIONS = (
    (r"jwt token is invalid|390144", "the key of user {user} is not (or no longer) registered, or this machine's clock "
     "is wrong: compare DESC USER {user} with the key, and register it with ALTER USER … SET RSA_PUBLIC_KEY"),
    (r"390318|390303|oauth access token", "the OAuth token has expired or is not valid: put a fresh one where the old "
     "one is configured"),
    (r"390114|390112|390111|authentication token has expired", "the session has expired: run this again, it logs in "
     "anew"),
    (r"incorrect username or password|390100", "user {user} and what it logs in by do not belong together"),
    (r"specified in the connect string|390186|390189", "role {role} does not exist or is not granted to user {user}: "
     "GRANT ROLE {role} TO USER {user}, or set SNOWFLAKE_ROLE"),
    (r"requested warehouse does not exist|no active warehouse|^0*606\b|390201", "warehouse {warehouse} does not exist "
     "or role {role} may not use it: GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {role}, or set SNOWFLAKE_WAREHOUSE"),
    (r"cannot be resumed|resource monitor|^0*90073\b|is suspended", "warehouse {warehouse} is suspended and does not "
     "resume: raise the quota of its resource monitor, or ALTER WAREHOUSE {warehouse} RESUME"),
    (r"is not allowed to access snowflake|390420|390422", "a network policy shuts this machine out: add its address to "
     "the policy of user {user}"),
    (r"does not have a current database|^0*90105\b", "the database does not exist, or role {role} may not use it; "
     "docs/snowflake.md lists what must be there"),
    (r"^0*3001\b|insufficient privileges", "role {role} lacks a privilege; docs/snowflake.md lists what it needs"),
    (r"^0*(2003|2043)\b|does not exist or not authorized", "something does not exist, or role {role} may not see it; "
     "docs/snowflake.md lists what must be there"),
    (r"^0*(25000[1-7]|251011|253003)\b|timed? ?out|connection (aborted|refused|reset)|max retries|remotedisconnected",
     "Snowflake cannot be reached, or the connection broke: check account {account}, the network and its proxy, and "
     "run this again"),
)  # fmt: skip


class SnowflakeWarehouse(SqlWarehouse):
    """One client's Bronze schema in one database."""

    errors = (Error, OSError)

    def __init__(
        self, login: Login, database: str, tag: dict[str, str], *, schema: str = SCHEMA, patience: int = 120
    ) -> None:
        self.schema = schema
        self._login, self._tag = login, tag
        self._ledger_is_there = self._is_lost = False
        self._database = database
        identifier(database)
        identifier(schema)
        try:
            self._connection = snowflake.connector.connect(
                **login.arguments(),
                database=database,
                paramstyle="qmark",
                application="support_medallion",
                client_session_keep_alive=True,
                login_timeout=min(patience, 60),
                network_timeout=patience,
                session_parameters={
                    "QUERY_TAG": json.dumps(tag),
                    "TIMEZONE": "UTC",
                    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
                    # What a broken connection leaves running or locked does not stay for hours.
                    "ABORT_DETACHED_QUERY": True,
                    "LOCK_TIMEOUT": 900,
                    # Bound rows go inline: staging them needs DDL, which would end the transaction.
                    "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
                },
            )
        except Error as error:
            raise WarehouseError(f"{database} cannot be opened: {self._explain(error)}") from error

    def close(self) -> None:
        with self._forgiven("the session with Snowflake was not closed in good order"):
            self._connection.close(retry=not self._is_lost)

    def drop_schema(self) -> None:
        """Drop a schema that is not Bronze's own."""
        if self.schema == SCHEMA:
            raise WarehouseError(f"{SCHEMA} holds what was loaded and is not dropped")
        self._change(f"drop schema if exists {self.schema} cascade")

    def load(self, target: BronzeTable, manifest: Manifest, landing: Landing, run_id: str) -> Loaded:
        tag = self._tag | {"run": run_id, "batch": manifest.batch_id}
        try:
            self._change(f"alter session set query_tag = {_literal(json.dumps(tag))}")
        except self.errors as error:
            raise WarehouseError(f"batch {manifest.batch_id} was not loaded: {self._explain(error)}") from error
        return super().load(target, manifest, landing, run_id)

    @contextmanager
    def _cursor(self) -> Iterator[SnowflakeCursor]:
        """A cursor, and the end of all hope when no answer comes: nothing more is sent then, not even a rollback."""
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except self.errors as error:
            self._is_lost = self._is_lost or is_broken(error)
            raise

    @contextmanager
    def _forgiven(self, otherwise: str) -> Iterator[None]:
        """What is done to leave things tidy. Where it fails, that is said and no more."""
        try:
            yield
        except self.errors as error:
            log.warning("%s: %s", otherwise, one_line(error))

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            cursor.execute(sql, tuple(values) or None)
            return [tuple(row) for row in cursor.fetchall()]

    def _change(self, sql: str, values: Sequence[object] = ()) -> int:
        with self._cursor() as cursor:
            cursor.execute(sql, tuple(values) or None)
            return cursor.rowcount or 0

    def _roll_back(self) -> None:
        if not self._is_lost:
            super()._roll_back()

    def _insert(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        (columns,) = [each.columns for each in LEDGER if each.name == table]
        names = ", ".join(name for name, _ in columns)
        marks = ", ".join("?" * len(columns))
        with self._cursor() as cursor:
            for start in range(0, len(rows), ROWS_PER_INSERT):
                some = [tuple(row) for row in rows[start : start + ROWS_PER_INSERT]]
                cursor.executemany(f"insert into {self.schema}.{table} ({names}) values ({marks})", some)

    @contextmanager
    def _fetched(self, target: BronzeTable, manifest: Manifest, landing: Landing) -> Iterator[str]:
        """The parts on the table's stage, in a folder that is this load's alone."""
        self._ensure(target.name, target.columns)
        batch = f"@{self._database}.{self.schema}.%{target.name}/{manifest.batch_id}"
        # What a load that was killed has left goes first.
        self._change(f"remove {batch}/")
        stage = f"{batch}/{uuid4().hex}/"
        try:
            with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(PARALLEL_UPLOADS) as uploads:
                list(uploads.map(lambda part: self._put(landing.fetch(part, folder), stage), manifest.parts))
            yield stage
        finally:
            if not self._is_lost:
                with self._forgiven(f"{stage} was left behind; the next load of the batch removes it"):
                    self._change(f"remove {stage}")

    def _put(self, file: str, stage: str) -> None:
        path = _literal(f"file://{Path(file).absolute()}")
        self._rows(f"put {path} {stage} auto_compress = false overwrite = true")

    def _copy(self, target: BronzeTable, fetched: str) -> int:
        # Nothing in a text stands for NULL, and a part that cannot be read whole fails the load.
        loaded = self._rows(
            f"copy into {self._table(target.name)} from {fetched} file_format = (type = parquet null_if = ()) "
            "match_by_column_name = case_insensitive on_error = abort_statement"
        )
        return sum(int(row[3]) for row in loaded if len(row) > 3)

    def _begin(self, ddl: Callable[[], list[str]]) -> list[str]:
        made = ddl()
        self._change("begin")
        return made

    def _commit(self, otherwise: str) -> None:
        try:
            self._change("commit")
        except self.errors as error:
            if not is_broken(error):
                self._roll_back()
                raise WarehouseError(f"{otherwise}: {self._explain(error)}") from error
            raise WarehouseError(
                "the connection to Snowflake broke while the batch was being committed, so it is either whole or as it "
                f"was; load it again, which is safe either way: {self._explain(error)}"
            ) from error

    def _ensure_ledger(self) -> list[str]:
        if not self._ledger_is_there:
            super()._ensure_ledger()
            self._ledger_is_there = True
        return []

    def _explain(self, error: Exception) -> str:
        return explain(error, self._login)


def explain(error: Exception, login: Login) -> str:
    """One sentence on what happened and what to do; what Snowflake itself said follows."""
    said = one_line(error)
    known = f"{getattr(error, 'errno', None) or ''} {said}"
    for pattern, sentence in EXPLANATIONS:
        if re.search(pattern, known, re.IGNORECASE):
            return f"{sentence.format(**vars(login))} ({said})"
    return said


def is_broken(error: Exception) -> bool:
    """Whether nothing is known of what became of a statement, because no answer came."""
    return isinstance(error, OperationalError | OSError)


def _literal(text: str) -> str:
    """A text in SQL, where none can be bound."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
