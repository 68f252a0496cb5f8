"""Silver against the world it was loaded from: real Bronze steps, real dbt, and what the world itself says is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from include.bronze.steps import Bronze
from include.bronze.streams import Cadence
from tests.bronze.vendors import NIGHT, Vendors, bronze_for, run_night, served
from tests.dbt.project import Project

pytestmark = pytest.mark.integration

FIRST_NIGHT = datetime(2025, 12, 14, 6, 20, tzinfo=UTC)
# A thread is deleted in the night after the first and recovered after day 3; an issue is marked as spam after day 69 and
# unmarked before day 76.
NIGHTS = (0, 3, 6, 12, 22, 32, 42, 52, 62, 69, 71, 76)
BUILT_AFTER = (0, 3, 52, 71, 76)
LOOKED_FOR_DELETIONS = (71, 76)
AN_ACCOUNT_WAS_MISSED = 52
FAR = datetime.max.replace(tzinfo=UTC)
RESTORED = (
    "def_plain_threads",
    "def_plain_timeline_entries",
    "def_pylon_issues",
    "def_pylon_messages",
    "def_pylon_accounts",
)
DIRECTORIES = ("accounts", "contacts", "users", "teams", "tags", "custom_fields", "issue_statuses")

Rows = dict[str, dict[str, Any]]


class World:
    """The world after some nights, each loaded and built; every answer is of the last night's clock."""

    def __init__(self, vendors: Vendors, bronze: Bronze) -> None:
        self.vendors = vendors
        self.bronze = bronze
        self.project = Project(bronze.settings.data_dir)
        # What changes between the night's cut and the time it is read is for the next night.
        self.cut = FIRST_NIGHT + NIGHTS[-1] * NIGHT - timedelta(minutes=20)
        self.gone: dict[int, dict[str, Rows]] = {}  # what Silver held for deleted after each build, by model

    def night(self, day: int) -> None:
        self.vendors.set_clock(FIRST_NIGHT + day * NIGHT)
        if day == AN_ACCOUNT_WAS_MISSED:
            self.vendors.fault(system="pylon", endpoint="GET /accounts", kind="missing_rows")
        run_night(self.bronze, f"night {day}", tuple(self.bronze.plan(FAR)))
        if day in LOOKED_FOR_DELETIONS:
            self.look_for_deletions()
        if day in BUILT_AFTER:
            self.build()
            self.gone[day] = {model: self.deleted(model) for model in RESTORED}

    def look_for_deletions(self) -> None:
        planned = self.bronze.plan(FAR, cadence=Cadence.WEEKLY)["pylon_issue_ids"]
        self.bronze.load("pylon_issue_ids", self.bronze.extract("pylon_issue_ids", planned, "weekly"), "weekly")
        confirmed = self.bronze.confirm_deletions("pylon_issue_ids", "weekly")
        assert confirmed is not None
        self.bronze.load("pylon_issues", [confirmed], "weekly")

    def build(self, *options: str) -> None:
        outcome = self.project.run("run", "--select", "tag:silver", *options)
        assert outcome.success, outcome.said()

    def query(self, sql: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(self.bronze.settings.database_file("def")), read_only=True) as connection:
            relation = connection.execute(sql)
            names = [column[0].upper() for column in relation.description]
            return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]

    def silver(self, model: str) -> Rows:
        return {row["RECORD_KEY"]: row for row in self.query(f"select * from SILVER.{model}")}

    def living(self, model: str) -> Rows:
        return {key: row for key, row in self.silver(model).items() if not row["IS_DELETED"]}

    def deleted(self, model: str) -> Rows:
        return {key: row for key, row in self.silver(model).items() if row["IS_DELETED"]}

    def truth(self, of: str) -> list[dict[str, Any]]:
        return self.vendors.truth(f"rows?object={of}")

    def deletions(self, object_: str) -> list[dict[str, Any]]:
        return [row for row in self.vendors.truth("deletions") if row["object"] == object_]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with served(tmp_path_factory.mktemp("vendors")) as vendors:
        data: Path = tmp_path_factory.mktemp("data")
        (data / "drop").symlink_to(vendors.data_dir / "drop")
        built = World(vendors, bronze_for(vendors, data))
        for day in NIGHTS:
            built.night(day)
        yield built


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def test_issues_are_those_that_exist_in_their_present_state(world: World) -> None:
    true = {row["id"]: row for row in world.truth("pylon_issues")}
    settled = {key: row for key, row in true.items() if _instant(row["updated_at"]) < world.cut.replace(tzinfo=None)}
    held = world.living("def_pylon_issues")
    assert held.keys() <= true.keys()
    assert {key: (row["state"], _instant(row["updated_at"])) for key, row in settled.items()} == {
        key: (row["STATE"], row["UPDATED_AT"]) for key, row in held.items() if key in settled
    }
    lost = world.silver("def_pylon_issues").keys() - held.keys()
    assert lost
    assert lost <= {row["id"] for row in world.deletions("issue")}


def test_messages_are_those_their_issue_had_when_it_was_last_asked(world: World) -> None:
    looks = {row["SCOPE"]: row["AT"] for row in world.query(
        "select SCOPE, max(OBSERVED_AT) as AT from BRONZE.INGEST_COVERAGE where STREAM = 'pylon_messages' group by SCOPE"
    )}  # fmt: skip
    true = {
        row["id"]: row for row in world.truth("pylon_messages") if _instant(row["timestamp"]) < looks[row["issue_id"]]
    }
    removed = {row["id"]: row for row in world.deletions("message")}
    unseen = {key for key, row in removed.items() if _instant(row["at"]) >= looks[row["parent_id"]]}
    held = world.living("def_pylon_messages")
    assert held.keys() == true.keys() | unseen & world.silver("def_pylon_messages").keys()
    assert {key: row["ISSUE_ID"] for key, row in held.items() if key in true} == {
        key: row["issue_id"] for key, row in true.items()
    }
    assert (removed.keys() - unseen) & world.silver("def_pylon_messages").keys()


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_a_directory_is_what_it_was_when_it_was_last_read(world: World, directory: str) -> None:
    key = "slug" if directory == "issue_statuses" else "id"
    assert world.living(f"def_pylon_{directory}").keys() == {row[key] for row in world.truth(f"pylon_{directory}")}


def test_accounts_that_were_merged_away_are_deleted(world: World) -> None:
    held = world.silver("def_pylon_accounts")
    gone = {key for key, row in held.items() if row["IS_DELETED"]}
    assert gone
    assert gone == held.keys() & {row["id"] for row in world.deletions("account")}


def test_threads_are_those_that_exist_or_whose_deletion_nobody_reports(world: World) -> None:
    true = {row["id"]: row for row in world.truth("plain_threads")}
    cut = world.cut.replace(tzinfo=None)
    settled = {key: row for key, row in true.items() if _instant(row["updated_at"]) < cut}
    unreported = {
        row["id"]
        for row in world.deletions("thread")
        if row["learn"] != "deletedThreads" or _instant(row["at"]) >= cut
    }  # fmt: skip
    held = world.living("def_plain_threads")
    assert settled.keys() <= held.keys() <= true.keys() | unreported
    assert {key: held[key]["UPDATED_AT"] for key in settled} == {
        key: _instant(row["updated_at"]) for key, row in settled.items()
    }


def test_a_thread_that_was_recovered_is_there_with_its_timeline_though_its_deletion_is_logged(world: World) -> None:
    true = {row["id"] for row in world.truth("plain_threads")}
    back = world.gone[3]["def_plain_threads"].keys() & true
    assert back
    logged = {row["THREAD_ID"] for row in world.silver("def_plain_deleted_threads").values()}
    assert back <= logged & world.living("def_plain_threads").keys()
    entries = [row for row in world.gone[3]["def_plain_timeline_entries"].values() if row["PARENT_KEY"] in back]
    assert entries
    assert {row["RECORD_KEY"] for row in entries} <= world.living("def_plain_timeline_entries").keys()


def test_an_issue_that_answers_again_is_there_with_its_messages(world: World) -> None:
    true = {row["id"] for row in world.truth("pylon_issues")}
    back = world.gone[71]["def_pylon_issues"].keys() & true
    assert back
    assert {row["DELETED_HOW"] for row in world.gone[71]["def_pylon_issues"].values()} == {"gone"}
    assert back <= world.living("def_pylon_issues").keys()
    messages = [row for row in world.gone[71]["def_pylon_messages"].values() if row["PARENT_KEY"] in back]
    assert {row["DELETED_HOW"] for row in messages} == {"parent gone"}
    shown = {row["id"] for row in world.truth("pylon_messages")}
    assert {row["RECORD_KEY"] for row in messages} & shown
    assert {row["RECORD_KEY"] for row in messages} & shown <= world.living("def_pylon_messages").keys()


def test_an_account_that_a_listing_missed_is_deleted_until_the_next(world: World) -> None:
    merged = {row["id"] for row in world.deletions("account")}
    missed = {
        key: row for key, row in world.gone[AN_ACCOUNT_WAS_MISSED]["def_pylon_accounts"].items() if key not in merged
    }
    assert [row["DELETED_HOW"] for row in missed.values()] == ["not in the directory"]
    assert missed.keys() <= world.living("def_pylon_accounts").keys()


def test_deletions_of_threads_are_counted_once_each(world: World) -> None:
    start = datetime(2025, 12, 1, 6, 0)  # the first cut of the loaded history, as Silver has it
    true = {
        row["thread_id"]: _instant(row["deleted_at"]).replace(microsecond=0)
        for row in world.truth("plain_deleted_threads")
        if start <= _instant(row["deleted_at"]) < world.cut.replace(tzinfo=None)
    }
    held = world.silver("def_plain_deleted_threads").values()
    assert sorted((row["THREAD_ID"], row["DELETED_AT"].replace(microsecond=0)) for row in held) == sorted(true.items())


def test_no_value_was_lost_unseen_and_a_rebuild_changes_nothing(world: World) -> None:
    models = [row["NAME"] for row in world.query(
        "select table_name as NAME from duckdb_tables() where schema_name = 'SILVER' and table_name not like 'APPLIED%'"
    )]  # fmt: skip
    before = {model: world.silver(model) for model in models}
    assert len(before) > 25
    assert all(world.bronze.client.stream(row["STREAM"]) for row in before["def_cast_failures"].values())
    tested = world.project.run("test", "--select", "tag:silver,test_name:loses_nothing_unseen")
    assert tested.success, tested.said()
    assert len(tested.statuses()) > 25
    world.build("--full-refresh")
    assert {model: world.silver(model) for model in models} == before
