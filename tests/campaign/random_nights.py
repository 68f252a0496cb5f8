"""Random nights on a real scheduler, and after each of them everything that is promised.

`make test-campaign SUITE=nights` runs this; `make test` has seven nights that were chosen (tests/e2e/test_seven_nights.py).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from include.bronze.verify import verify
from include.orchestration.forms import REPLAY
from include.settings import INDEX_LAG
from include.simulators.world.lifecycle import Kind
from include.simulators.world.world import World
from tests.campaign import plan
from tests.e2e.nights import Nights, Run, running
from tests.e2e.test_seven_nights import PROOFS
from tests.gold.recording import CLIENTS, Recording
from tests.gold.world import Built, Loaded, Replayed

# The first night starts the stack and has a history to load, and a busy machine takes its time.
pytestmark = pytest.mark.timeout(3600)

SEED = int(os.environ.get("SUPPORT_NIGHTS_SEED", "0"))
NIGHTS = int(os.environ.get("SUPPORT_NIGHTS", "3"))
GONE = (Kind.MERGED, Kind.SPAM, Kind.DELETED, Kind.ERASED)
# What the next night builds, and no look or replay before it, although each of them is a load.
TELL_OF_LOADS = (
    "def_coverage",
    "def_load_attempts",
    "def_loaded_batches",
    "fct_def_syncs",
    "agg_def_syncs_daily",
)
SHARED_EVERY = 3  # nights; the roster changes seldom


def planned(seed: int) -> list[plan.Night]:
    """The nights of a world: the same for the same seed."""
    world = World(seed + 1, "tiny")
    events = [event for ticket in world.tickets for event in world.events(ticket.index)]
    return plan.nights(
        seed,
        [_instant(event.at) for event in events],
        [_instant(event.at) for event in events if event.kind in GONE],
    )


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


PLAN = planned(SEED)[:NIGHTS]


class Campaign:
    """A stack with a world, and the nights it has had."""

    def __init__(self, nights: Nights, folder: Path) -> None:
        self.nights = nights
        self.folder = folder
        self.looks: list[datetime] = []
        self.runs: list[Run] = []
        self.recordings: dict[tuple[str, ...], Recording] = {}

    # -- a night

    def play(self, night: plan.Night, number: int) -> Counter[str]:
        """Let a night happen as it was planned; what was killed in it."""
        nights = self.nights
        self.runs = []
        if night.sync:
            nights.at(night.sync)
            self.runs.append(nights.run("def_sync_now"))
        nights.at(night.at)
        if number % SHARED_EVERY == 0:
            self.runs.append(nights.run("core_reference"))
        if night.backfill:
            self.runs.append(nights.backfill("def_support", night.at - 2 * plan.DAY - timedelta(minutes=5)))
        killed = self._nightly(night)
        self.equals_a_rebuild()
        if night.look:
            self.runs.append(nights.run("reconcile_deletes"))
            self.looks.append(night.at)
            self.equals_a_rebuild(but=TELL_OF_LOADS)
        if night.rerun is not None:
            self._rerun(night)
        return killed

    def _nightly(self, night: plan.Night) -> Counter[str]:
        nights = self.nights
        for fault in night.faults:
            nights.vendors.fault(**fault)
        if night.refused:
            nights.vendors.fault(system=night.refused, endpoint="*", kind="forbid", count=-1)
        nights.polls.append(night.at)
        run_id = nights.start("def_support")
        killed: Counter[str] = Counter()
        for kill in night.kills:
            if nights.kill(kill.kind, run_id, kill.task, kill.after, kill.away):
                killed[plan.COUNTED[kill.kind]] += 1
        run = nights.ended("def_support", run_id)
        nights.vendors.clear_faults()
        if run.state != "success":
            # Somebody mends what is wrong and clears what failed, as the runbook says.
            assert night.refused or night.faults or night.kills, f"an undisturbed night failed: {_open(run)}"
            nights.clear_failed("def_support", run_id)
            run = nights.wait("def_support", run_id)
        self.runs.append(run)
        return killed

    def _rerun(self, night: plan.Night) -> None:
        """Load a batch again: nothing may change by that."""
        with self.nights.bronze("def").warehouse() as warehouse:
            batches = sorted(row.batch_id for row in warehouse.ledger())
        before = self._relations(self.loaded())
        batch = night.replayed(batches)
        self.runs.append(self.nights.run("rerun_batch", batch_id=batch, how=REPLAY))
        after = self._relations(self.loaded())
        assert _different(before, after, but=TELL_OF_LOADS) == [], f"the replay of {batch} changed something"

    # -- what holds after it

    def check(self, night: plan.Night, number: int) -> None:
        """Ledger and tables agree, nothing is missing, there twice or left open, and Gold is true."""
        for client in ("core", "def"):
            bronze = self.nights.bronze(client)
            assert verify(bronze) == []
            with bronze.warehouse() as warehouse:
                ledger = warehouse.ledger()
            assert [batch for batch, n in Counter(row.batch_id for row in ledger).items() if n > 1] == []
            if client == "def" or number % SHARED_EVERY == 0:
                missing = bronze.plan(night.at - INDEX_LAG)
                assert {name: items for name, items in missing.items() if items} == {}
        for run in self.runs:
            assert _open(run) == {}, run.dag_id
        loaded = self.loaded()
        try:
            for proof in PROOFS:
                proof(loaded)
        finally:
            loaded.close()

    def equals_a_rebuild(self, but: tuple[str, ...] = ()) -> None:
        """Every table of Silver and Gold is what a full refresh would make it, but for some of them."""
        loaded = self.loaded()
        rebuilt = self.rebuilt(loaded)
        try:
            held, anew = self._relations(loaded), self._relations(rebuilt)
        finally:
            rebuilt.close()
        assert sum(map(len, held.values())) > 1_000
        assert held.keys() == anew.keys()
        assert _different(held, anew, but) == []

    def loaded(self) -> Built:
        """What the nights left, beside the world as it was at the last of them."""
        seed, polls = self.nights.seed, tuple(sorted(set(self.nights.polls)))
        return Built(seed, "tiny", polls, tuple(self.looks), self.nights.data)

    def rebuilt(self, loaded: Built) -> Loaded:
        """The same Bronze, and the rest built anew by what dbt sends into an empty warehouse."""
        tables = self._tables(loaded, "BRONZE")
        loaded.close()
        if tables not in self.recordings:
            self.recordings[tables] = self._record(loaded)
        data, recording = self.nights.data, self.recordings[tables]
        return Replayed(loaded.seed, loaded.size, loaded.polls, loaded.looks, data, recording=recording)

    def _record(self, loaded: Built) -> Recording:
        """What dbt sends is another thing as long as the table of a stream is not there yet."""
        empty = loaded.copy(self.folder / f"empty {len(self.recordings)}")
        for client in CLIENTS:
            with duckdb.connect(str(empty.warehouse / f"{client}_DB_LOCAL.duckdb")) as connection:
                for schema in ("SILVER", "GOLD"):
                    connection.execute(f"drop schema if exists {schema} cascade")
        sent = Recording.of(empty.build().statements, empty.warehouse)
        # dbt was told that it is the world's time; the nights were built in ours.
        statements = tuple(sql.replace(f"'{loaded.now}'", "(now() at time zone 'UTC')") for sql in sent.statements)
        return Recording(statements, sent.seeds, sent.seeds_in)

    @staticmethod
    def _tables(loaded: Loaded, *schemas: str) -> tuple[str, ...]:
        listed = ", ".join(f"'{schema}'" for schema in schemas)
        rows = loaded.query(f"""
            select lower(database_name || '.' || schema_name || '.' || table_name) as name from duckdb_tables()
            where upper(schema_name) in ({listed}) and table_name not like 'APPLIED%' order by 1
        """)
        return tuple(row["name"] for row in rows)

    def _relations(self, loaded: Loaded) -> dict[str, list[str]]:
        """Every table of Silver and Gold with its rows as text. Views say the same of the tables under them."""
        names = self._tables(loaded, "SILVER", "GOLD")
        found = {name: sorted(str(each) for each in loaded.relation(name)) for name in names}
        loaded.close()
        return found


def _different(one: dict[str, list[str]], other: dict[str, list[str]], but: tuple[str, ...] = ()) -> list[str]:
    return [name for name in one if one[name] != other.get(name) and not name.endswith(but)]


def _open(run: Run) -> dict[str, str | None]:
    return {task.name: task.state for task in run.tasks if task.state not in ("success", "skipped")}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    folder = tmp_path_factory.mktemp("nights")
    with running(folder / "data", SEED + 1) as nights:
        yield Campaign(nights, folder / "rebuilt")


@pytest.mark.parametrize("number", range(len(PLAN)))
def test_after_a_random_night_everything_agrees(
    number: int, campaign: Campaign, record_property: Callable[[str, object], None]
) -> None:
    night = PLAN[number]
    record_property("nights", 1)
    try:
        for kind, many in campaign.play(night, number).items():
            record_property(kind, many)
        campaign.check(night, number)
    except Exception as error:
        error.add_note(f"night {number} of seed {SEED}: {night}")
        raise
