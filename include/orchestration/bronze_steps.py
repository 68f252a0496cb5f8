"""The Bronze steps as Airflow's tasks call them: configuration and connections are read when a task runs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from include.bronze.steps import Bronze, Connection, Plan, connection_from_environment
from include.bronze.streams import Cadence
from include.settings import settings

log = logging.getLogger(__name__)


def find_connection(conn_id: str) -> Connection:
    """A connection by Airflow, or by the environment where Airflow has none or one without a token."""
    fallback = connection_from_environment(conn_id)
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return fallback
    return Connection(
        connection.host or fallback.base_url, connection.password or fallback.token, connection.extra_dejson
    )


def bronze(client_code: str, holder: str) -> Bronze:
    """One client's Bronze, on behalf of a task."""
    current = settings()
    return Bronze(current, current.client(client_code), find_connection, holder)


def plan(client_code: str, dag_id: str, run_id: str, interval_end: datetime, holder: str) -> Plan:
    """Every batch this run must load, per stream. A run that is cleared gets the list it had the first time."""
    steps = bronze(client_code, holder)
    steps.preflight()
    return steps.recorded_plan(f"{dag_id}/{run_id}", lambda: steps.plan(interval_end, cadence=Cadence.NIGHTLY))


def extract(client_code: str, stream: str, planned: Sequence[Mapping[str, str]], run_id: str, holder: str) -> list[str]:
    """Read every planned batch of a stream into landing. Says which batches are landed."""
    return bronze(client_code, holder).extract(stream, planned, run_id)


def record_attempts(client_code: str, dag_id: str, run_id: str, holder: str) -> dict[str, int]:
    """Copy what this run tried into the ledger, whatever became of it. Says how many attempts ended in which way."""
    steps = bronze(client_code, holder)
    planned = steps.plan_of(f"{dag_id}/{run_id}") or {}
    tried = steps.record_attempts(item["batch_id"] for items in planned.values() for item in items)
    return dict(Counter(str(attempt.outcome) for attempt in tried))


def load(
    client_code: str, stream: str, batch_ids: Sequence[str], run_id: str, holder: str
) -> dict[str, list[dict[str, Any]]]:
    """Load what is landed. Says what each load did, and which batches wait for a person."""
    loaded, held = bronze(client_code, holder).load(stream, batch_ids, run_id)
    return {"loaded": [asdict(one) for one in loaded], "held": [asdict(one) for one in held]}
