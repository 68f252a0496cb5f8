"""Bronze as the loader writes it, made by hand: real DuckDB files with tables, metadata columns and the ledger.

Nothing here uses the loader, so a test of Silver cannot inherit a bug from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from include.bronze.ledger import LEDGER
from include.bronze.streams import Coverage, LoadStrategy, Stream, column_name, streams_of

EPOCH = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
METADATA = ("RECORD_KEY", "RECORD_HASH", "DATE_TO_WAREHOUSE", "SOURCE_FILE", "BATCH_ID", "PIPELINE_RUN_ID")
# Child records with a version stamp, which no vendor has: see tests/dbt/children.
PYLON_NOTES = Stream(
    system="pylon",
    object="notes",
    description="Notes of an account.",
    fields=("id", "title", "updated_at", "seen_count"),
    strategy=LoadStrategy.INCREMENTAL,
    coverage=Coverage.PARENT,
    request="GET /accounts/{parent}/notes",
    version_stamp="updated_at",
    parent="accounts",
    volatile=frozenset({"seen_count"}),
)
STREAMS: dict[str, Stream] = {
    "pylon_issues": streams_of("pylon")["issues"],
    "pylon_accounts": streams_of("pylon")["accounts"],
    "pylon_notes": PYLON_NOTES,
    "pylon_teams": streams_of("pylon")["teams"],  # no version stamp
    "plain_tiers": streams_of("plain")["tiers"],  # a version stamp inside an object
    "pylon_messages": streams_of("pylon")["messages"],
    "plain_threads": streams_of("plain")["threads"],
    "plain_deleted_threads": streams_of("plain")["deleted_threads"],
}


def at(minutes: float) -> datetime:
    """An instant of the test's own time, in minutes."""
    return EPOCH + timedelta(minutes=minutes)


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Row:
    """One delivered record: its fields as the API sent them, and when the reply was read."""

    fields: Mapping[str, Any]
    read_at: datetime
    page: int = 1
    parent: str | None = None


@dataclass(frozen=True)
class Look:
    """One row of coverage: a scope that was looked at."""

    scope: str
    observed_at: datetime
    outcome: str = "complete"


@dataclass
class Bronze:
    """One client's Bronze, in a file that dbt attaches under its own name."""

    connection: duckdb.DuckDBPyConnection
    database: str = "DEF_DB_LOCAL"

    def create(self, *names: str) -> None:
        """Make the ledger and the tables of some streams, or of all."""
        self.connection.execute(f"create schema if not exists {self.database}.BRONZE")
        for name, stream in ((name, STREAMS[name]) for name in names or STREAMS):
            columns = [*stream.columns, *METADATA, *(["PARENT_KEY"] if stream.coverage is Coverage.PARENT else [])]
            body = ", ".join(f'"{column}" varchar' for column in columns)
            self.connection.execute(f"create table if not exists {self.table(name)} ({body})")
        for ledger in LEDGER:
            self.connection.execute(
                f"create table if not exists {self.database}.BRONZE.{ledger.name} ({ledger.definition})"
            )

    def table(self, stream: str) -> str:
        return f"{self.database}.BRONZE.{stream.upper()}"

    def load(
        self,
        stream: str,
        batch: str,
        rows: Iterable[Row] = (),
        coverage: Iterable[Look] = (),
        attempt: str = "a1",
    ) -> str:
        """Load a batch as batch_replace does: its rows, its ledger row and its coverage, or nothing."""
        load_id = uuid4().hex
        rows = list(rows)
        batch_id = f"def__{stream}__{batch}"
        records = [self._record(stream, batch_id, attempt, row) for row in rows]
        checksum = hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()
        looks = list(coverage)
        end = EPOCH.replace(tzinfo=None)
        times = [end - timedelta(days=1), end, end, end, end]
        self.connection.execute("begin")
        self._delete(stream, batch_id)
        for record in records:
            names = ", ".join(f'"{name}"' for name in record)
            marks = ", ".join("?" * len(record))
            self.connection.execute(f"insert into {self.table(stream)} ({names}) values ({marks})", [*record.values()])
        self.connection.execute(
            f"insert into {self.database}.BRONZE.INGEST_BATCHES values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [stream, batch_id, attempt, load_id, len(rows), checksum, *times, "run", "x"],
        )
        for look in looks:
            self.connection.execute(
                f"insert into {self.database}.BRONZE.INGEST_COVERAGE values (?, ?, ?, ?, ?, ?)",
                [stream, batch_id, look.scope, look.outcome, look.observed_at.replace(tzinfo=None), len(rows)],
            )
        self.connection.execute("commit")
        return batch_id

    def drop(self, stream: str, batch: str) -> None:
        """Take a batch out of Bronze and out of its ledger."""
        self.connection.execute("begin")
        self._delete(stream, f"def__{stream}__{batch}")
        self.connection.execute("commit")

    def _delete(self, stream: str, batch_id: str) -> None:
        for table in (stream.upper(), "INGEST_BATCHES", "INGEST_COVERAGE"):
            self.connection.execute(f"delete from {self.database}.BRONZE.{table} where BATCH_ID = ?", [batch_id])

    def _record(self, stream: str, batch_id: str, attempt: str, row: Row) -> dict[str, str | None]:
        spec = STREAMS[stream]
        texts = {name: _text(value) for name, value in row.fields.items()}
        content = {name: value for name, value in texts.items() if name not in spec.volatile}
        record: dict[str, str | None] = {column_name(name): value for name, value in texts.items() if value is not None}
        record |= {
            "RECORD_KEY": texts[spec.record_key],
            "RECORD_HASH": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
            "DATE_TO_WAREHOUSE": stamp(row.read_at),
            "SOURCE_FILE": f"landing/{batch_id}/{attempt}/part-00001.parquet#page={row.page:06d}",
            "BATCH_ID": batch_id,
            "PIPELINE_RUN_ID": f"run-of-{attempt}",
        }
        if row.parent is not None:
            record["PARENT_KEY"] = row.parent
        return record


def _text(value: Any) -> str | None:
    """A JSON value as Bronze keeps it: strings decoded, everything else its own JSON text."""
    return value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def issue(key: str, updated: datetime, **fields: Any) -> dict[str, Any]:
    """An issue as the API sends it; give what matters to the test."""
    base: dict[str, Any] = {
        "id": key,
        "number": 100 + sum(map(ord, key)) % 900,
        "title": f"Issue {key}",
        "link": f"https://app.usepylon.com/issues?issueNumber={key}",
        "body_html": "<p>Hello</p>",
        "state": "new",
        "source": "slack",
        "type": "conversation",
        "created_at": stamp(EPOCH - timedelta(days=1)),
        "updated_at": stamp(updated),
        "number_of_touches": 1,
        "account": {"id": "acc-1"},
        "custom_fields": {},
    }
    return base | fields


def account(key: str, updated: datetime, **fields: Any) -> dict[str, Any]:
    """An account as the API sends it."""
    base: dict[str, Any] = {
        "id": key,
        "name": f"Account {key}",
        "type": "customer",
        "created_at": stamp(EPOCH - timedelta(days=30)),
        "updated_at": stamp(updated),
        "is_disabled": False,
        "latest_customer_activity_time": "",
        "primary_domain": f"{key}.example.com",
        "custom_fields": {},
    }
    return base | fields


def note(key: str, updated: datetime, **fields: Any) -> dict[str, Any]:
    """A note as the API would send it."""
    return {"id": key, "title": f"Note {key}", "updated_at": stamp(updated), "seen_count": 1} | fields


def message(key: str, **fields: Any) -> dict[str, Any]:
    """A message as Pylon sends it: no version stamp, and its issue is only known from the request."""
    base: dict[str, Any] = {
        "id": key,
        "message_html": "<p>Hello</p>",
        "timestamp": stamp(EPOCH),
        "source": "email",
        "is_private": False,
        "author": {"name": "Ana", "user": {"id": "user-1"}},
    }
    return base | fields


def thread(key: str, updated: datetime, **fields: Any) -> dict[str, Any]:
    """A thread as Plain sends it: every time is an object."""
    base: dict[str, Any] = {
        "id": key,
        "ref": f"T-{key}",
        "title": f"Thread {key}",
        "priority": 2,
        "status": "TODO",
        "channel": "EMAIL",
        "customer": {"id": "c-1", "company": {"id": "co-1"}},
        "createdAt": wrapped(EPOCH - timedelta(days=1)),
        "statusChangedAt": wrapped(updated),
        "updatedAt": wrapped(updated),
    }
    return base | fields


def deletion(key: str, at: datetime) -> dict[str, Any]:
    """The deletion of a thread as Plain reports it."""
    return {"threadId": key, "deletedAt": wrapped(at)}


def wrapped(instant: datetime) -> dict[str, str]:
    return {"iso8601": stamp(instant)}


def open_warehouse(folder: Path, target: str = "LOCAL") -> duckdb.DuckDBPyConnection:
    """A connection with the client's file attached the way dbt attaches it."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"attach '{folder / f'DEF_DB_{target}.duckdb'}' as DEF_DB_{target}")
    return connection
