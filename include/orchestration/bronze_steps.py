"""The Bronze steps of a nightly run, as plain functions that tasks call.

Each reads its configuration and Airflow's connections when it runs, never when its DAG file is parsed.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from include.bronze.batch import Batch
from include.bronze.extract import extract
from include.bronze.landing import Landing
from include.bronze.plan import PlannedBatch, plan_stream
from include.bronze.sources import pylon
from include.bronze.sources.http import Api, Credentials
from include.bronze.streams import LoadStrategy
from include.bronze.warehouses import Loaded, Warehouse
from include.bronze.warehouses.lock import warehouse_lock
from include.settings import INDEX_LAG, ClientStream, ConfigurationError, Settings, settings

log = logging.getLogger(__name__)

PREFLIGHTS = {"pylon": pylon.preflight}


@dataclass(frozen=True)
class StreamPlan:
    """The batches one stream must load in this run, as XCom carries them."""

    stream: str
    batches: list[dict[str, str]]

    def planned(self) -> list[PlannedBatch]:
        return [PlannedBatch(Batch.parse(item["batch_id"]), LoadStrategy(item["strategy"])) for item in self.batches]


def plan(client_code: str, dag_id: str, run_id: str, interval_end: datetime, holder: str) -> dict[str, dict[str, Any]]:
    """Every batch this run must load, per stream. A run that is cleared gets the list it had the first time."""
    current = settings()
    client = current.client(client_code)
    landing = Landing(current.landing)
    recorded_at = f"{client_code}/plans/{dag_id}/{run_id}.json"
    if recorded := landing.read(recorded_at):
        log.info("this run has planned before: its recorded list of batches is used again")
        plans: dict[str, dict[str, Any]] = json.loads(recorded)
        return plans
    until = min(interval_end, current.now()) - INDEX_LAG
    plans = {}
    with open_warehouse(current, client_code, holder) as warehouse:
        for stream in client.streams:
            history_from = datetime.combine(stream.source.history_from, client.night, tzinfo=client.grid.zone)
            planned = plan_stream(
                client_code,
                stream.name,
                stream.spec,
                client.grid,
                history_from.astimezone(UTC),
                until,
                warehouse.completed(stream.name),
            )
            batches = [{"batch_id": item.batch.id, "strategy": item.strategy.value} for item in planned]
            plans[stream.name] = asdict(StreamPlan(stream.name, batches))
            log.info("%s: %d batches to load%s", stream.name, len(batches), _span(planned))
    landing.write(recorded_at, json.dumps(plans).encode())
    return plans


def extract_stream(client_code: str, stream_name: str, plan: dict[str, Any], run_id: str) -> list[str]:
    """Read every planned batch of a stream into landing. A batch this run has landed already is not asked for again."""
    current = settings()
    stream = current.client(client_code).stream(stream_name)
    landing = Landing(current.landing)
    planned = StreamPlan(**plan).planned()
    if not planned:
        log.info("%s: nothing new to extract", stream_name)
        return []
    api = _api(current, stream)
    log.info("%s: reading from workspace '%s'", stream_name, PREFLIGHTS[stream.source.system](api))
    for number, item in enumerate(planned, 1):
        if any(attempt.pipeline_run_id == run_id for attempt in landing.attempts(item.batch)):
            log.info("%s: landed by an earlier try of this run", item.batch.id)
            continue
        manifest = extract(item, stream.spec, api, landing, overlap=stream.source.overlap, run_id=run_id)
        log.info(
            "%s: %d of %d batches, %d rows, %d pages, %d requests so far",
            item.batch.id,
            number,
            len(planned),
            manifest.rows,
            manifest.pages,
            api.requests,
        )
    return [item.batch.id for item in planned]


def load_stream(
    client_code: str, stream_name: str, batch_ids: Sequence[str], run_id: str, holder: str
) -> list[dict[str, Any]]:
    """Load the newest attempt of each batch, each in a transaction of its own. Says what each load did."""
    current = settings()
    stream = current.client(client_code).stream(stream_name)
    landing = Landing(current.landing)
    done: list[Loaded] = []
    with open_warehouse(current, client_code, holder) as warehouse:
        warehouse.prepare(stream.table, stream.spec.columns)
        for batch_id in batch_ids:
            manifest = landing.newest(Batch.parse(batch_id))
            loaded = warehouse.load(stream.table, stream.spec.columns, manifest, landing, run_id)
            for column in loaded.new_columns:
                log.warning("%s has a new column %s", stream.table, column)
            log.info("%s: %d rows into %s (%d before)", batch_id, loaded.rows, stream.table, loaded.rows_before)
            done.append(loaded)
    return [asdict(loaded) for loaded in done]


@contextmanager
def open_warehouse(current: Settings, client_code: str, holder: str) -> Iterator[Warehouse]:
    """One client's Bronze schema, with the warehouse lock held where the engine needs it."""
    if not current.target.is_embedded:
        raise ConfigurationError(f"SUPPORT_TARGET is '{current.target}', which Bronze cannot load yet; use local or ci")
    # Imported where it is needed: this module is imported whenever a DAG file is parsed.
    from include.bronze.warehouses.duckdb import DuckDBWarehouse

    with warehouse_lock(current.warehouse_dir, holder):
        warehouse = DuckDBWarehouse(current.database_file(client_code))
        try:
            yield warehouse
        finally:
            warehouse.close()


def _api(current: Settings, stream: ClientStream) -> Api:
    """The source's API by its Airflow connection, or by the environment where there is no connection."""
    conn_id = stream.source.connection
    token = os.environ.get(f"{conn_id.upper()}_TOKEN")
    base_url = os.environ.get(f"{conn_id.upper()}_URL")
    extra: dict[str, Any] = {}
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        pass
    else:
        token, base_url, extra = connection.password or token, connection.host or base_url, connection.extra_dejson
    if not token:
        raise ConfigurationError(
            f"connection {conn_id} has no token: put the API token in its password field, "
            f"or set {conn_id.upper()}_TOKEN in the environment"
        )
    region = str(extra.get("region", "us"))
    if not base_url and region not in pylon.BASE_URLS:
        raise ConfigurationError(
            f"connection {conn_id}: extra.region is '{region}'; it must be one of {', '.join(pylon.BASE_URLS)}"
        )
    gap = timedelta(seconds=float(extra.get("minimum_gap_seconds", stream.source.minimum_gap.total_seconds())))
    return Api(
        Credentials(base_url or pylon.BASE_URLS[region], token),
        minimum_gap=gap,
        reading_clock=current.reading_clock,
    )


def _span(planned: Sequence[PlannedBatch]) -> str:
    if not planned:
        return ""
    return f", from {planned[0].batch.window.start:%Y-%m-%d %H:%M} to {planned[-1].batch.window.end:%Y-%m-%d %H:%M} UTC"
