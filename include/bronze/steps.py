"""The steps of a run, for whoever drives them: Airflow's tasks, the command line, a test.

How a connection is found is handed in, so nothing here knows Airflow. Each step says in its log what it did, and raises
one sentence on what went wrong and what to do.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from include.bronze.batch import LONGEST_WINDOW, Batch, Window, stamp
from include.bronze.extract import Extraction, Source, never_back
from include.bronze.landing import Attempt, Landing, Manifest
from include.bronze.plan import PlannedBatch, plan_stream, sync_window
from include.bronze.sources import plain, pylon
from include.bronze.sources.files import DropFolder, MissingFileError
from include.bronze.sources.http import Api, Credentials, RefusedError, SourceError
from include.bronze.streams import DROPPED, Cadence, Coverage, LoadStrategy, column_name
from include.bronze.warehouses import BronzeTable, HeldError, Known, Loaded, Warehouse
from include.bronze.warehouses.lock import lease, warehouse_lock
from include.settings import INDEX_LAG, Client, ClientStream, ConfigurationError, Settings
from include.settings import Source as SourceConfiguration
from include.snowflake import CONNECTION as SNOWFLAKE
from include.snowflake import Login, environment_of

log = logging.getLogger(__name__)

# A day's file may be corrected for this long after the day; it is compared with what was landed, and loaded again.
FILE_CORRECTIONS = timedelta(days=14)

# Asking again cannot help against these.
FINAL = (RefusedError, ConfigurationError)

# stream → its batches, each with the strategy the ledger will show for it
Plan = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Connection:
    """What opens a source, however it was configured."""

    base_url: str | None = None
    token: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict)
    user: str | None = None


@dataclass(frozen=True)
class Held:
    """A batch that is landed and waits for a person."""

    batch_id: str
    reason: str


@dataclass(frozen=True)
class Bronze:
    """One client's Bronze: what its streams are, where they are read and where they are kept."""

    settings: Settings
    client: Client
    find_connection: Callable[[str], Connection]
    holder: str

    @property
    def landing(self) -> Landing:
        return Landing(self.settings.landing)

    # -- plan

    def preflight(self) -> None:
        """Check every source before anything is loaded from any: its token, its region, its permissions."""
        by_source: dict[str, list[ClientStream]] = {}
        for stream in self.client.streams:
            if stream.source.connection:
                by_source.setdefault(stream.source_name, []).append(stream)
        for name, streams in by_source.items():
            source = self._source(streams[0], self.settings.reading_clock)
            log.info("%s: %s answers", name, source.preflight([s.spec for s in streams]))

    def plan(self, until: datetime, *, cadence: Cadence = Cadence.NIGHTLY, only: str | None = None) -> Plan:
        """Every batch each stream (or only one) lacks up to an instant, less the time a vendor's index may lag."""
        until = min(until, self.settings.now()) - INDEX_LAG
        plans: Plan = {}
        with self.warehouse() as warehouse:
            for stream in self.client.streams:
                if stream.spec.cadence is cadence and only in (None, stream.name):
                    planned = self._plan(stream, until, warehouse.completed(stream.name))
                    plans[stream.name] = [
                        {"batch_id": item.batch.id, "strategy": item.strategy.value} for item in planned
                    ]
                    log.info("%s: %d batches to load%s", stream.name, len(planned), _span(planned))
        return plans

    def recorded_plan(self, key: str, make: Callable[[], Plan]) -> Plan:
        """The plan of a run: made once, and the same list again whenever the run is cleared."""
        recorded = self.plan_of(key)
        if recorded is not None:
            log.info("this run has planned before: its recorded list of batches is used again")
            return recorded
        plan = make()
        self.landing.write(self._plan_path(key), json.dumps(plan).encode())
        return plan

    def plan_of(self, key: str) -> Plan | None:
        """The plan a run has made, None if it has made none."""
        recorded = self.landing.read(self._plan_path(key))
        plan: Plan | None = json.loads(recorded) if recorded else None
        return plan

    def _plan_path(self, key: str) -> str:
        return f"{self.client.code}/plans/{key}.json"

    def sync_plan(self, until: datetime) -> Plan:
        """One batch of each stream that is read from an API, from the end of what it covers to an instant."""
        until = (min(until, self.settings.now()) - INDEX_LAG).replace(microsecond=0)
        plans: Plan = {}
        with self.warehouse() as warehouse:
            for stream in self.client.streams:
                if stream.source.connection is None or stream.spec.cadence is not Cadence.NIGHTLY:
                    continue
                completed = warehouse.completed(stream.name)
                window = sync_window(self.client.grid, self._history_from(stream), until, completed)
                plans[stream.name] = []
                if window is not None and window.end - window.start > LONGEST_WINDOW:
                    log.warning(
                        "%s is covered up to %s only; the nightly run loads what is missing", stream.name, window.start
                    )
                elif window is not None:
                    batch = Batch(self.client.code, stream.name, window)
                    plans[stream.name] = [{"batch_id": batch.id, "strategy": stream.spec.strategy.value}]
                    log.info("%s: from %s to %s", stream.name, window.start, window.end)
        return plans

    def _history_from(self, stream: ClientStream) -> datetime:
        start = datetime.combine(stream.source.history_from, self.client.night, tzinfo=self.client.grid.zone)
        return start.astimezone(UTC)

    def _plan(self, stream: ClientStream, until: datetime, completed: Sequence[Window]) -> list[PlannedBatch]:
        start = self._history_from(stream)
        planned = plan_stream(self.client.code, stream.name, stream.spec, self.client.grid, start, until, completed)
        if stream.source.system == DROPPED and stream.spec.coverage is Coverage.WINDOW:
            planned = self._with_files(stream, planned, until)
        return planned

    def _with_files(self, stream: ClientStream, planned: list[PlannedBatch], until: datetime) -> list[PlannedBatch]:
        """Of the missing cells those whose file has come, and of the loaded ones those whose file has changed since."""
        source = self._source(stream, self.settings.reading_clock)
        assert isinstance(source, DropFolder)
        there = [item for item in planned if source.has_file(stream.spec, item.batch.window)]
        late = [i for i in planned if i not in there and i.batch.window.end > until - FILE_CORRECTIONS]
        if late:
            log.warning("%s: %d of the last %d days have no file yet", stream.name, len(late), FILE_CORRECTIONS.days)
        open_ids = {item.batch.id for item in planned}
        for window in self.client.grid.cells(until - FILE_CORRECTIONS, until):
            batch = Batch(self.client.code, stream.name, window)
            attempts = self.landing.attempts(batch)
            print_now = source.fingerprint(stream.spec, window)
            if batch.id not in open_ids and attempts and print_now and print_now not in attempts[-1].request_ids:
                log.info("%s: its file was corrected and is loaded again", batch.id)
                there.append(PlannedBatch(batch, stream.spec.strategy))
        return there

    # -- extract

    def extract_again(self, batch_id: str, run_id: str, *, progress: Callable[[str], None] = log.info) -> None:
        """Ask the vendor for a batch once more. What comes lies beside the attempts there are, until it is loaded."""
        batch = Batch.parse(batch_id)
        attempts = self.landing.attempts(batch)
        strategy = attempts[-1].strategy if attempts else self.client.stream(batch.stream).spec.strategy.value
        self.extract(
            batch.stream, [{"batch_id": batch.id, "strategy": strategy}], run_id, progress=progress, again=True
        )

    def extract(
        self,
        stream_name: str,
        planned: Sequence[Mapping[str, str]],
        run_id: str,
        *,
        progress: Callable[[str], None] = log.info,
        again: bool = False,
    ) -> list[str]:
        """Read planned batches into landing. One that this run has landed already is not asked for again."""
        stream = self.client.stream(stream_name)
        items = [PlannedBatch(Batch.parse(i["batch_id"]), LoadStrategy(i["strategy"])) for i in planned]
        todo = [item for item in items if again or not self._has_landed(item.batch, run_id)]
        if len(todo) < len(items):
            log.info("%s: %d batches were landed by an earlier try of this run", stream_name, len(items) - len(todo))
        if not todo:
            log.info("%s: nothing new to extract", stream_name)
            return [item.batch.id for item in items]
        with self._lease(stream):
            extraction = self._extraction(stream, run_id, progress)
            log.info("%s: reading from %s", stream_name, extraction.source.preflight([stream.spec]))
            landed = {item.batch.id for item in items} - {item.batch.id for item in todo}
            for number, item in enumerate(todo, 1):
                parents = self._parents(stream, item.batch.window)
                try:
                    manifest = extraction.extract(item, parents)
                except MissingFileError as missing:
                    log.warning("%s: %s", item.batch.id, missing)
                    continue
                landed.add(item.batch.id)
                progress(
                    f"{item.batch.id}: {number} of {len(todo)} batches, {manifest.rows} rows, {manifest.pages} pages"
                )
        return [item.batch.id for item in items if item.batch.id in landed]

    def extract_each(self, plan: Plan, run_id: str) -> dict[str, list[str]]:
        """Read the planned batches of several streams, one stream after the other.

        One that fails stops no other. Its error is raised at the end, and of several one that may pass: whoever asks
        again by it gets the others along.
        """
        landed: dict[str, list[str]] = {}
        failures: list[Exception] = []
        for name, planned in plan.items():
            try:
                landed[name] = self.extract(name, planned, run_id)
            except Exception as failure:
                log.error("%s: %s", name, failure)
                failures.append(failure)
        if failures:
            raise next((one for one in failures if not isinstance(one, FINAL)), failures[0])
        return landed

    def _has_landed(self, batch: Batch, run_id: str) -> bool:
        return any(attempt.pipeline_run_id == run_id for attempt in self.landing.attempts(batch))

    def _extraction(self, stream: ClientStream, run_id: str, progress: Callable[[str], None]) -> Extraction:
        clock = never_back(self.settings.reading_clock)
        source = self._source(stream, clock)
        return Extraction(stream.spec, source, self.landing, run_id, stream.source.overlap, clock, progress)

    def _parents(self, stream: ClientStream, window: Window) -> list[str] | None:
        """The keys of every parent delivered in a window, by what is landed of the parent stream."""
        if stream.parent is None:
            return None
        keys: dict[str, None] = {}
        reached = window.start
        landing = self.landing
        for batch in landing.batches(self.client.code, stream.parent):
            if batch.window.end <= window.start or batch.window.start >= window.end:
                continue
            attempts = landing.attempts(batch)
            if not attempts:
                continue
            # Of all attempts: which of them is loaded is known to the warehouse only.
            for attempt in attempts:
                keys |= dict.fromkeys(landing.keys(attempt))
            if batch.window.start <= reached:
                reached = max(reached, batch.window.end)
        if reached < window.end:
            raise SourceError(
                f"{stream.name} {window} is read for each record of {stream.parent}, which is landed only up to "
                f"{reached:%Y-%m-%d %H:%M} UTC; extract {stream.parent} first"
            )
        return list(keys)

    @contextmanager
    def _lease(self, stream: ClientStream) -> Iterator[None]:
        """Be the only one to call this stream's rate bucket."""
        if stream.source.connection is None:
            yield
            return
        with lease(self.settings.data_dir / "leases", stream.source.connection, rate_bucket(stream), self.holder):
            yield

    def _source(self, stream: ClientStream, reading_clock: Callable[[], datetime]) -> Source:
        """The system a stream is read from."""
        source = stream.source
        if source.connection is None:
            url = source.url or str(self.settings.data_dir / "drop" / stream.spec.request)
            return DropFolder(url, self.client.grid, reading_clock)
        connection = self.find_connection(source.connection)
        if not connection.token:
            raise ConfigurationError(
                f"connection {source.connection} has no token: put the API token in its password field, "
                f"or set {source.connection.upper()}_TOKEN in the environment"
            )
        base_url = connection.base_url or _default_url(source, connection)
        address = urlsplit(base_url)
        # Without a scheme the token would go out on port 80, for everyone to read.
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigurationError(
                f"connection {source.connection} has '{base_url}' as its host; "
                f"it must be a whole address, such as https://{base_url.split('/')[0] or 'api.example.com'}"
            )
        gap = float(connection.extra.get("minimum_gap_seconds", source.minimum_gap.total_seconds()))
        api = Api(
            Credentials(base_url, connection.token),
            minimum_gap=timedelta(seconds=gap),
            reading_clock=reading_clock,
        )
        return plain.Plain(api) if source.system == "plain" else pylon.Pylon(api)

    # -- load

    def load(self, stream_name: str, batch_ids: Sequence[str], run_id: str) -> tuple[list[Loaded], list[Held]]:
        """Load the newest attempt of each batch, each in a transaction of its own."""
        with self.warehouse() as warehouse:
            return self._load(warehouse, stream_name, batch_ids, run_id, replayed=False)

    def load_each(self, plan: Plan, run_id: str) -> dict[str, tuple[list[Loaded], list[Held]]]:
        """Load what a run has landed of several streams' planned batches. One that fails stops no other."""
        done: dict[str, tuple[list[Loaded], list[Held]]] = {}
        failures: list[Exception] = []
        with self.warehouse() as warehouse:
            for name, planned in plan.items():
                batch_ids = [
                    one["batch_id"] for one in planned if self._has_landed(Batch.parse(one["batch_id"]), run_id)
                ]
                try:
                    done[name] = self._load(warehouse, name, batch_ids, run_id, replayed=False)
                except Exception as failure:
                    log.error("%s: %s", name, failure)
                    failures.append(failure)
        if failures:
            raise failures[0]
        return done

    def replay(self, batch_id: str, run_id: str) -> tuple[list[Loaded], list[Held]]:
        """Load a batch as it was loaded last, without asking the vendor; one that never was, by its newest attempt."""
        with self.warehouse() as warehouse:
            return self._load(warehouse, Batch.parse(batch_id).stream, [batch_id], run_id, replayed=True)

    def _load(
        self, warehouse: Warehouse, stream_name: str, batch_ids: Sequence[str], run_id: str, *, replayed: bool
    ) -> tuple[list[Loaded], list[Held]]:
        stream = self.client.stream(stream_name)
        target = self.table(stream)
        landing = self.landing
        done: list[Loaded] = []
        held: list[Held] = []
        warehouse.prepare(target)
        if not batch_ids:
            return done, held
        in_use = {row.batch_id: row.attempt for row in warehouse.ledger() if row.stream == stream_name}
        for batch_id in batch_ids:
            batch = Batch.parse(batch_id)
            before = landing.attempt(batch, in_use[batch_id]) if batch_id in in_use else None
            manifest = before if replayed and before else landing.newest(batch)
            try:
                if before and not landing.is_approved(manifest):
                    self._guard(stream, before, manifest)
                loaded = warehouse.load(target, manifest, landing, run_id)
            except HeldError as reason:
                log.error("%s", reason)
                held.append(Held(batch_id, str(reason)))
                continue
            for column in loaded.new_columns:
                log.warning("%s has a new column %s", target.name, column)
            log.info("%s: %d rows into %s (%d before)", batch_id, loaded.rows, target.name, loaded.rows_before)
            done.append(loaded)
        return done, held

    def _guard(self, stream: ClientStream, before: Manifest, manifest: Manifest) -> None:
        """Refuse an attempt that lacks what the loaded one holds, where its absence proves nothing.

        A window of changes that is read again later does not hold any more what has changed since. What is read whole
        is what it is: a file, a directory, the children of each parent.
        """
        if manifest.attempt == before.attempt or stream.source.system == DROPPED:
            return
        if stream.spec.coverage is Coverage.WINDOW:
            kind, held, delivered = "records", self.landing.keys(before), self.landing.keys(manifest)
        elif stream.spec.coverage is Coverage.PARENT:
            kind, held, delivered = "parents", *([s.scope for s in one.coverage] for one in (before, manifest))
        else:
            return
        missing = set(held) - set(delivered)
        if missing:
            raise HeldError(
                f"batch {manifest.batch_id} was read again and lacks {len(missing)} of the {len(set(held))} {kind} it "
                "holds: they have changed since, and later windows deliver them. It is landed and not applied, the "
                "batch stays as it was. To give those older versions up, run: "
                f"python -m include.bronze approve {manifest.batch_id}"
            )

    def record_attempts(self, batch_ids: Iterable[str]) -> list[Attempt]:
        """Copy what was tried at batches into the ledger. Nothing may be trying them any more."""
        tried = [attempt for batch_id in batch_ids for attempt in self.landing.tried(Batch.parse(batch_id))]
        with self.warehouse() as warehouse:
            warehouse.record_attempts(tried)
        return tried

    def totals(self, run_ids: Sequence[str]) -> dict[str, tuple[int, int, int, int]]:
        """Of each stream how many batches and rows some runs have loaded, and how many there are in all."""
        totals: dict[str, tuple[int, int, int, int]] = {}
        with self.warehouse() as warehouse:
            for row in warehouse.ledger():
                new = int(row.run_id in run_ids)
                one = (new, new * row.rows, 1, row.rows)
                before = totals.get(row.stream, (0, 0, 0, 0))
                totals[row.stream] = (before[0] + one[0], before[1] + one[1], before[2] + one[2], before[3] + one[3])
        return totals

    def table(self, stream: ClientStream) -> BronzeTable:
        """A stream's Bronze table."""
        spec = stream.spec
        buried = _names(self.client.buried_by(stream.name))
        return BronzeTable(
            name=stream.table,
            stream=stream.name,
            columns=(*spec.columns, *spec.metadata),
            replaces_everything=spec.strategy in (LoadStrategy.FULL_REFRESH, LoadStrategy.TRUNCATE_INSERT),
            is_directory=spec.coverage is Coverage.SNAPSHOT,
            is_child=spec.coverage is Coverage.PARENT,
            version_stamp=spec.version_stamp.upper() if spec.version_stamp and not spec.stamp_path else None,
            children=_names(self.client.children(stream.name)),
            buries=buried,
            buried_at=column_name(spec.window_fields[0]) if buried and spec.window_fields else None,
        )

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        """The client's Bronze schema, with the warehouse lock held where the engine needs it."""
        if self.settings.target.is_snowflake:
            with self._snowflake() as warehouse:
                yield warehouse
            return
        if not self.settings.target.is_embedded:
            raise ConfigurationError(
                f"SUPPORT_TARGET is '{self.settings.target}', which Bronze cannot load; use local, ci, dev or prod"
            )
        # Imported where it is needed: this module is imported whenever a DAG file is parsed.
        from include.bronze.warehouses.duckdb import DuckDBWarehouse

        with warehouse_lock(self.settings.warehouse_dir, self.holder):
            opened = DuckDBWarehouse(self.settings.database_file(self.client.code))
            try:
                yield opened
            finally:
                opened.close()

    @contextmanager
    def _snowflake(self) -> Iterator[Warehouse]:
        from include.bronze.warehouses.snowflake import SnowflakeWarehouse

        login = Login.read({**os.environ, **snowflake_environment(self.find_connection)})
        opened = SnowflakeWarehouse(login, self.settings.database(self.client.code), {"by": self.holder})
        try:
            yield opened
        finally:
            opened.close()

    # -- deletions

    def find_deletions(self, run_id: str) -> dict[str, tuple[list[Loaded], list[Held]]]:
        """Look up what the newest listings cast doubt on, and load the answers. Only streams with news are in it."""
        news = {}
        for listing in (stream for stream in self.client.streams if stream.spec.lists):
            answers = self.confirm_deletions(listing.name, run_id)
            if answers is not None:
                stream = Batch.parse(answers).stream
                news[stream] = self.load(stream, [answers], run_id)
        return news

    def confirm_deletions(self, listing: str, run_id: str) -> str | None:
        """Look up, one by one, what a listing of ids casts doubt on; land the answers as a batch of the real stream.

        A record the listing lacks, and that was last read before the listing began, is either gone or was missed by it;
        a record whose stamp in the listing is newer than what is known was changed where no window saw it.
        """
        listed_stream, listing_batch = self._listing(listing)
        stream = self.client.stream(f"{listed_stream.source_name}_{listed_stream.spec.lists}")
        manifest = self.landing.newest(listing_batch)
        listed = self.landing.versions(manifest, column_name(listed_stream.spec.version_stamp or ""))
        with self.warehouse() as warehouse:
            known = warehouse.known(self.table(stream))
        doubtful = suspects(known, listed, manifest.started_at)
        if not doubtful:
            log.info("%s: every record is where it was", stream.name)
            return None
        # Not on the grid, so it covers no cell: the night loads that again.
        window = Window(manifest.started_at.replace(microsecond=0), self._next_second())
        planned = PlannedBatch(Batch(self.client.code, stream.name, window), stream.spec.strategy)
        with self._lease(stream):
            found = self._extraction(stream, run_id, log.info).look_up(planned, doubtful)
        log.info("%s: %d looked up, %d gone", stream.name, len(doubtful), len(found.coverage))
        return found.batch_id

    def _next_second(self) -> datetime:
        return self.settings.reading_clock().replace(microsecond=0) + timedelta(seconds=1)

    def _listing(self, name: str) -> tuple[ClientStream, Batch]:
        stream = self.client.stream(name)
        landed = [batch for batch in self.landing.batches(self.client.code, name) if self.landing.attempts(batch)]
        if not landed:
            raise SourceError(f"{name} has not been landed yet; extract it first")
        return stream, landed[-1]


def _names(streams: Iterable[ClientStream]) -> tuple[str, ...]:
    return tuple(stream.name for stream in streams)


def rate_bucket(stream: ClientStream) -> str:
    """What a stream's calls are paced with: Pylon limits each endpoint, Plain the workspace."""
    return plain.BUCKET if stream.source.system == "plain" else stream.spec.request


def snowflake_environment(find_connection: Callable[[str], Connection]) -> dict[str, str]:
    """What the Snowflake connection says, in the names that the environment and the dbt profile use."""
    found = find_connection(SNOWFLAKE)
    return environment_of(found.user, found.token, {"host": found.base_url, **found.extra})


def connection_from_environment(conn_id: str, environment: Mapping[str, str] = os.environ) -> Connection:
    """A connection by `{CONN_ID}_TOKEN` and `{CONN_ID}_URL`, or as Airflow writes one: AIRFLOW_CONN_{CONN_ID}, JSON."""
    name = conn_id.upper()
    token, url = environment.get(f"{name}_TOKEN"), environment.get(f"{name}_URL")
    written = environment.get(f"AIRFLOW_CONN_{name}", "")
    if token or not written.startswith("{"):
        return Connection(url, token)
    try:
        as_airflow = json.loads(written)
    except ValueError as error:
        raise ConfigurationError(f"environment: AIRFLOW_CONN_{name} is no JSON ({error}); quote it whole") from None
    extra = as_airflow.get("extra") or {}
    return Connection(
        as_airflow.get("host") or url,
        as_airflow.get("password"),
        json.loads(extra) if isinstance(extra, str) else extra,
        as_airflow.get("login"),
    )


def suspects(known: Mapping[str, Known], listed: Mapping[str, str | None], began: datetime) -> list[str]:
    """The keys a listing casts doubt on."""
    before = stamp(began)
    missing = [key for key, record in known.items() if key not in listed and record.read_at < before]
    changed = [
        key for key, version in listed.items() if key not in known or _is_newer(version, known[key].version_stamp)
    ]
    return sorted({*missing, *changed})


def _is_newer(one: str | None, other: str | None) -> bool:
    if not one or not other:
        return bool(one)
    try:
        return datetime.fromisoformat(one) > datetime.fromisoformat(other)
    except ValueError:
        return one != other


def _default_url(source: SourceConfiguration, connection: Connection) -> str:
    if source.system == "plain":
        return plain.BASE_URL
    region = str(connection.extra.get("region", "us"))
    if region not in pylon.BASE_URLS:
        raise ConfigurationError(
            f"connection {source.connection}: extra.region is '{region}'; it must be {' or '.join(pylon.BASE_URLS)}"
        )
    return pylon.BASE_URLS[region]


def _span(planned: Sequence[PlannedBatch]) -> str:
    if not planned:
        return ""
    first, last = planned[0].batch.window.start, planned[-1].batch.window.end
    return f", from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
