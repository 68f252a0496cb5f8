"""The Bronze steps as Airflow's tasks call them: configuration and connections are read when a task runs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from include.bronze.batch import Batch
from include.bronze.retention import expire
from include.bronze.steps import Bronze, Connection, Plan, connection_from_environment
from include.bronze.streams import Cadence
from include.bronze.verify import verify
from include.orchestration.forms import Rerun
from include.settings import Client, settings

log = logging.getLogger(__name__)


def find_connection(conn_id: str) -> Connection:
    """A connection by Airflow, or by the environment where Airflow has none or one without a token."""
    fallback = connection_from_environment(conn_id)
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return fallback
    return Connection(
        connection.host or fallback.base_url,
        connection.password or fallback.token,
        connection.extra_dejson,
        connection.login or fallback.user,
    )


def bronze(client_code: str, holder: str) -> Bronze:
    """One client's Bronze, on behalf of a task."""
    current = settings()
    return Bronze(current, current.client(client_code), find_connection, holder)


def plan(
    client_code: str, dag_id: str, run_id: str, interval_end: datetime | None, cadence: Cadence, holder: str
) -> Plan:
    """Every batch this run must load, per stream. A run that is cleared gets the list it had the first time.

    A run that was triggered without a logical date has no interval, and loads up to now.
    """
    steps = bronze(client_code, holder)
    steps.preflight()
    until = interval_end or steps.settings.now()
    return steps.recorded_plan(f"{dag_id}/{run_id}", lambda: steps.plan(until, cadence=cadence))


def sync_plan(client_code: str, dag_id: str, run_id: str, holder: str) -> Plan:
    """What a sync reads, per stream. A run that is cleared gets the list it had the first time."""
    steps = bronze(client_code, holder)
    steps.preflight()
    return steps.recorded_plan(f"{dag_id}/{run_id}", lambda: steps.sync_plan(steps.settings.now()))


def landed_batches(client: Client, stream: str, holder: str) -> list[Batch]:
    """The batches of a stream that have a complete attempt."""
    landing = bronze(client.code, holder).landing
    return [batch for batch in landing.batches(client.code, stream) if landing.attempts(batch)]


def rerun(request: Rerun, run_id: str, holder: str) -> list[dict[str, Any]]:
    """Load the batches of a rerun again, parents first. Says what each load did; one that is held back is an error."""
    steps = bronze(request.client, holder)
    done = []
    for batch_id in request.batches:
        batch = Batch.parse(batch_id)
        if request.asks_again:
            steps.extract_again(batch_id, run_id)
            if request.may_shrink:
                steps.landing.approve(steps.landing.newest(batch))
            loaded, held = steps.load(batch.stream, [batch_id], run_id)
        else:
            loaded, held = steps.replay(batch_id, run_id)
        if held:
            raise AirflowFailException(held[0].reason)
        keys = len(steps.landing.keys(steps.landing.newest(batch)))
        done += [asdict(one) | {"keys": keys} for one in loaded]
    return done


def find_deletions(client_code: str, run_id: str, holder: str) -> list[str]:
    """Look up what the newest listings cast doubt on and load the answers. Says which streams the run has news of."""
    steps = bronze(client_code, holder)
    for _, held in steps.find_deletions(run_id).values():
        if held:
            raise AirflowFailException(held[0].reason)
    loaded = [name for name, (batches, *_) in steps.totals([run_id]).items() if batches]
    return [stream.name for name in loaded for stream in steps.client.affected_by(name)]


def loaded_by(run_id: str, holder: str) -> list[tuple[str, str]]:
    """The Bronze table and the id of every batch that a run has loaded, of any client."""
    loaded = []
    for code, client in settings().clients.items():
        if client.streams:
            with bronze(code, holder).warehouse() as warehouse:
                ledger = warehouse.ledger()
            loaded += [(row.stream.upper(), row.batch_id) for row in ledger if row.run_id == run_id]
    return loaded


def awaits_a_night(client_code: str, holder: str) -> bool:
    """Whether a night that is over is still to be loaded."""
    steps = bronze(client_code, holder)
    return any(steps.plan(steps.settings.now()).values())


def expire_landing(client_code: str, days: int, holder: str) -> dict[str, int]:
    """Remove landed attempts that nothing will read again."""
    removed = expire(bronze(client_code, holder), timedelta(days=days))
    for one in removed:
        log.info("%s: %s, %d bytes (%s)", one.batch_id, one.folder, one.bytes, one.reason)
    return {"attempts": len(removed), "bytes": sum(one.bytes for one in removed)}


def reconcile(client_code: str, dag_id: str, run_id: str, holder: str) -> int:
    """Hold what a run was to load against landing, ledger and tables. Says how many batches that are."""
    planned = bronze(client_code, holder).plan_of(f"{dag_id}/{run_id}") or {}
    batches = [Batch.parse(item["batch_id"]) for items in planned.values() for item in items]
    verify_bronze(client_code, holder, batches)
    return len(batches)


def verify_bronze(client_code: str, holder: str, batches: Collection[Batch] | None = None) -> None:
    """Fail with every disagreement of landing, ledger and tables."""
    faults = verify(bronze(client_code, holder), batches)
    for fault in faults:
        log.error("%s", fault)
    if faults:
        raise AirflowFailException(f"{len(faults)} faults, first: {faults[0]}")


def extract(client_code: str, planned: Plan, run_id: str, holder: str) -> dict[str, list[str]]:
    """Read every planned batch of some streams into landing. Says which batches are landed."""
    return bronze(client_code, holder).extract_each(planned, run_id)


def record_attempts(client_code: str, dag_id: str, run_id: str, holder: str) -> dict[str, int]:
    """Copy what this run tried into the ledger, whatever became of it. Says how many attempts ended in which way."""
    steps = bronze(client_code, holder)
    planned = steps.plan_of(f"{dag_id}/{run_id}") or {}
    tried = steps.record_attempts(item["batch_id"] for items in planned.values() for item in items)
    return dict(Counter(str(attempt.outcome) for attempt in tried))


def load(client_code: str, planned: Plan, run_id: str, holder: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Load what is landed of some streams. Says what each load did, and which batches wait for a person."""
    return {
        stream: {"loaded": [asdict(one) for one in loaded], "held": [asdict(one) for one in held]}
        for stream, (loaded, held) in bronze(client_code, holder).load_each(planned, run_id).items()
    }
