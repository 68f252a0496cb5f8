"""Seven nights of a small world through a real scheduler: vendors that stumble, nights missed, processes killed.

What is left is compared with what the world says really happened, so it does not matter which way it came about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import duckdb
import pytest

from include.bronze.batch import Batch, Window
from include.bronze.verify import verify
from include.orchestration.forms import REPLAY
from include.settings import INDEX_LAG
from tests.e2e.nights import DAY, TASK, Nights, Run, local_night, running
from tests.gold import test_activity_truth, test_clocks_truth, test_people_truth, test_quality_truth, test_tickets_truth
from tests.gold.world import Built, millis

# All of it happens while the first test is set up, and a busy machine takes its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]

# In this world nothing happens in the minutes between what a night covers and what it reads, so "as of the night" is one
# moment; and two tickets that were loaded are deleted outright in these days.
SEED = 14
NIGHTS = [local_night(2025, 12, 29) + n * DAY for n in range(7)]
PAST_THE_CUT = timedelta(minutes=20)
SYNC_AFTER = timedelta(hours=9)

STORM = (
    {"system": "pylon", "endpoint": "*", "kind": "too_many", "count": 6, "after": 3, "seconds": 0.2},
    {"system": "pylon", "endpoint": "POST /issues/search", "kind": "status", "status": 503, "count": 2},
    {"system": "plain", "endpoint": "*", "kind": "too_many", "count": 4, "after": 2, "seconds": 0.2},
    {"system": "plain", "endpoint": "threads", "kind": "reset", "count": 1},
)
GARBAGE = (
    {"system": "pylon", "endpoint": "GET /issues/{id}/messages", "kind": "invalid_json", "count": 2, "after": 1},
    {"system": "pylon", "endpoint": "GET /accounts", "kind": "cut", "count": 1},
    {"system": "pylon", "endpoint": "POST /issues/search", "kind": "glitch_page", "count": 1},
    {"system": "plain", "endpoint": "*", "kind": "cut", "count": 2, "after": 3},
)
# Each kind of process, and the task of the sixth or the seventh night in the middle of which it is killed.
KILLS = {
    5: (("scheduler", "build"),),
    6: (
        ("simulators", "pylon.extract_issues"),
        ("api-server", "pylon.extract_messages"),
        (TASK, "pylon.load"),
        ("dag-processor", "build"),
    ),
}
# What holds of Gold after any night, whatever happened before it.
PROOFS = (
    test_tickets_truth.test_every_ticket_is_counted_once_or_left_out_by_the_rule_that_applies,
    test_tickets_truth.test_a_ticket_carries_what_the_world_says_of_it,
    test_tickets_truth.test_links_are_those_the_issues_name_and_an_applied_one_moves_the_thread,
    test_activity_truth.test_tickets_per_day_channel_and_system_are_the_worlds,
    test_activity_truth.test_the_sum_over_channels_is_a_direct_recount,
    test_people_truth.test_every_message_that_is_still_there_is_counted_once,
    test_people_truth.test_the_first_human_answer_is_by_somebody_of_the_team,
    test_quality_truth.test_every_survey_answer_is_counted_once_on_its_day,
    test_clocks_truth.test_first_responses_are_those_that_were_given_and_read,
    test_clocks_truth.test_resolutions_are_the_actual_ones,
    test_clocks_truth.test_waits_are_those_a_reader_of_the_messages_would_count,
    test_clocks_truth.test_states_are_those_that_could_be_seen,
)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    with running(tmp_path_factory.mktemp("nights") / "data", SEED) as started:
        yield started


def storm(nights: Nights, faults: tuple[dict[str, object], ...]) -> None:
    for fault in faults:
        nights.vendors.fault(**fault)


def all_struck(nights: Nights) -> None:
    """Every fault that was set did its harm."""
    assert {f["id"]: f["fired"] for f in nights.vendors.faults() if f["fired"] < f["count"]} == {}
    nights.vendors.clear_faults()


@pytest.fixture(scope="module")
def history(nights: Nights) -> dict[str, Run]:
    """The seven nights. What each test looks at afterwards is only read."""
    runs: dict[str, Run] = {}
    nights.at(NIGHTS[0])
    runs["shared"] = nights.run("core_reference")
    runs["first"] = nights.run("def_support")

    nights.at(NIGHTS[1])
    storm(nights, STORM)
    runs["second"] = nights.run("def_support")
    all_struck(nights)

    nights.at(NIGHTS[2])
    storm(nights, GARBAGE)
    runs["third"] = nights.run("def_support")
    all_struck(nights)

    # Nobody schedules anything for two nights; the older of them is then asked for by a backfill.
    nights.stack.stop("scheduler")
    nights.at(NIGHTS[3])
    nights.at(NIGHTS[4])
    nights.at(NIGHTS[5])
    nights.stack.begin("scheduler")
    runs["backfill"] = nights.backfill("def_support", NIGHTS[3] - DAY - timedelta(minutes=5))

    runs["sixth"] = with_kills(nights, KILLS[5])
    nights.at(NIGHTS[5] + SYNC_AFTER)
    runs["sync"] = nights.run("def_sync_now")

    nights.at(NIGHTS[6])
    runs["seventh"] = with_kills(nights, KILLS[6])

    before = marts(nights)
    third = Batch("def", "pylon_issues", Window(NIGHTS[2] - PAST_THE_CUT - DAY, NIGHTS[2] - PAST_THE_CUT))
    runs["rerun"] = nights.run("rerun_batch", batch_id=third.id, how=REPLAY)
    assert marts(nights) == before
    runs["deletions"] = nights.run("reconcile_deletes")
    return runs


def marts(nights: Nights) -> list[tuple[object, ...]]:
    """What the published copy says of every day's tickets."""
    with duckdb.connect(str(nights.data / "serving" / "support.duckdb"), read_only=True) as copy:
        return copy.execute("select * from agg_def_ticket_activity_channel_daily order by all").fetchall()


def with_kills(nights: Nights, kills: tuple[tuple[str, str], ...]) -> Run:
    nights.polls.append(nights.vendors.now.astimezone(UTC))
    run_id = nights.start("def_support")
    for kind, task_id in kills:
        assert nights.kill(kind, run_id, task_id), f"{task_id} was over before anything could be killed"
    return nights.wait("def_support", run_id)


@pytest.fixture
def loaded(nights: Nights, history: dict[str, Run]) -> Iterator[Built]:
    """What the nights left, beside the world as it was at the last of them."""
    polls = tuple(sorted(set(nights.polls)))
    found = Built(SEED, "tiny", polls, polls[-1:], nights.data)
    quiet = [event.at for ticket in found.world.tickets for event in found.world.events(ticket.index)]
    for poll in found.polls:
        assert not [at for at in quiet if millis(poll - PAST_THE_CUT) <= at < millis(poll)], poll
    yield found
    found.close()  # the other tests open the same files their own way


def test_gold_is_what_really_happened(loaded: Built) -> None:
    for proof in PROOFS:
        proof(loaded)


def test_a_ticket_that_is_found_deleted_takes_its_messages_along_at_once(loaded: Built) -> None:
    (row,) = loaded.query("""
        select count(*) as messages, count_if(messages.IS_DELETED) as deleted
        from SILVER.def_pylon_issues as issues
        join SILVER.def_pylon_messages as messages on messages.ISSUE_ID = issues.ID
        where issues.IS_DELETED
    """)
    assert row["messages"] == row["deleted"] > 0


def test_ledger_and_tables_agree_and_every_cell_is_covered(nights: Nights, history: dict[str, Run]) -> None:
    end = NIGHTS[6] - INDEX_LAG
    for client in ("core", "def"):
        bronze = nights.bronze(client)
        assert verify(bronze) == []
        with bronze.warehouse() as warehouse:
            ledger = warehouse.ledger()
        assert [batch for batch, n in Counter(row.batch_id for row in ledger).items() if n > 1] == []
        if client == "def":
            assert {name: items for name, items in bronze.plan(end).items() if items} == {}


def test_the_night_after_two_missed_ones_loads_what_the_backfill_left(nights: Nights, history: dict[str, Run]) -> None:
    with nights.bronze("def").warehouse() as warehouse:
        ledger = [row for row in warehouse.ledger() if row.stream == "pylon_issues"]
    ends = {
        run: sorted(r.window.end for r in ledger if r.run_id == history[run].run_id) for run in ("backfill", "sixth")
    }
    assert ends == {
        "backfill": [NIGHTS[3] - PAST_THE_CUT],
        "sixth": [NIGHTS[4] - PAST_THE_CUT, NIGHTS[5] - PAST_THE_CUT],
    }


def test_a_sync_reads_up_to_now_and_covers_no_night(nights: Nights, history: dict[str, Run]) -> None:
    with nights.bronze("def").warehouse() as warehouse:
        ledger = [row for row in warehouse.ledger() if row.stream == "pylon_issues"]
    (sync,) = (row for row in ledger if row.run_id == history["sync"].run_id)
    assert sync.window == Window(NIGHTS[5] - PAST_THE_CUT, NIGHTS[5] + SYNC_AFTER - INDEX_LAG)
    seventh = Window(NIGHTS[5] - PAST_THE_CUT, NIGHTS[6] - PAST_THE_CUT)
    assert [row.window for row in ledger if row.run_id == history["seventh"].run_id] == [seventh]


def test_a_rerun_says_what_it_changed_and_changes_nothing(history: dict[str, Run]) -> None:
    issues, messages, models = history["rerun"].note.splitlines()
    for line in (issues, messages):
        rows = line.split(": ", 1)[1].split()
        assert rows[0] == rows[3]
    assert "fct_def_tickets" in models


def test_nothing_is_left_half_done(nights: Nights, history: dict[str, Run]) -> None:
    """No task that waits for ever, and no file in a complete attempt that its manifest does not name."""
    for dag_id in ("core_reference", "def_support", "def_sync_now", "rerun_batch", "reconcile_deletes"):
        for run in nights.stack.api.runs(dag_id):
            tasks = nights.stack.api.tasks(dag_id, run["dag_run_id"])
            assert {t.name: t.state for t in tasks if t.state not in ("success", "skipped")} == {}
    bronze = nights.bronze("def")
    for stream in bronze.client.streams:
        for batch in bronze.landing.batches("def", stream.name):
            for manifest in bronze.landing.attempts(batch):
                folder = Path(bronze.landing.full_path(f"def/{stream.name}/{batch.id}/{manifest.attempt}"))
                parts = {bronze.landing.full_path(part.path) for part in manifest.parts}
                assert {str(file) for file in folder.glob("*.parquet")} == parts
                assert list(folder.glob("*.partial")) == []


def test_each_publication_is_one_event_of_each_mart(nights: Nights, history: dict[str, Run]) -> None:
    api = nights.stack.api
    contracts = [a for a in api.call("GET", "/assets", limit=1000)["assets"] if str(a["uri"]).startswith("mart.")]
    told = Counter(
        (asset["uri"], event["source_run_id"])
        for asset in contracts
        for event in api.call("GET", "/assets/events", asset_id=asset["id"], limit=1000)["asset_events"]
    )
    published = {run["dag_run_id"] for dag_id in ("def_support", "def_sync_now") for run in api.runs(dag_id)}
    assert told
    assert set(told.values()) == {1}
    for mart in {uri for uri, _ in told}:
        assert published <= {run_id for uri, run_id in told if uri == mart}
