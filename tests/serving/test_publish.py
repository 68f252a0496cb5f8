"""The published copy, on real files and with real readers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from include.serving.publish import VERSIONS_KEPT, PublishError, publish


@pytest.fixture
def databases(tmp_path: Path) -> dict[str, Path]:
    files = {name: tmp_path / f"{name}.duckdb" for name in ("DEF_DB_LOCAL", "CORE_DB_LOCAL")}
    with duckdb.connect(str(files["CORE_DB_LOCAL"])) as core:
        core.execute("create schema gold; create table gold.dim_channel as select 'email' as channel")
    with duckdb.connect(str(files["DEF_DB_LOCAL"])) as own:
        own.execute(f"attach '{files['CORE_DB_LOCAL']}' as CORE_DB_LOCAL")
        own.execute("""
            create schema gold; create schema silver; create schema bronze;
            create table silver.def_pylon_issues as select 1 as x;
            create table gold.fct_def_tickets as select 1 as x;
            create table gold.agg_def_tickets_daily as select 'email' as channel, 3 as tickets;
            create view gold.rpt_def_tickets_daily as
              select a.*, now() as read_at from DEF_DB_LOCAL.gold.agg_def_tickets_daily a
              join CORE_DB_LOCAL.gold.dim_channel c on c.channel = a.channel;
            create view gold.rpt_def_a_old_name as select * from "DEF_DB_LOCAL"."gold"."rpt_def_tickets_daily";
            create view gold.fct_old_tickets_daily as select channel, tickets from gold.rpt_def_tickets_daily;
            create view gold.int_old_channels as select channel from gold.fct_old_tickets_daily;
            create view gold.int_old_ids as select x from "silver".def_pylon_issues;
            create table bronze.ingest_batches as select 'b1' as batch_id;
            create table bronze.pylon_issues as select 'secret text' as title;
        """)
    return files


def names(copy: Path) -> set[str]:
    with duckdb.connect(str(copy), read_only=True) as connection:
        return {name for (name,) in connection.execute("select table_name from information_schema.tables").fetchall()}


def test_marts_and_ledger_are_published_and_nothing_below_them(databases: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "serving" / "support.duckdb"
    publish(databases, copy)
    assert names(copy) == {
        "dim_channel",
        "agg_def_tickets_daily",
        "rpt_def_tickets_daily",
        "rpt_def_a_old_name",
        "fct_old_tickets_daily",
        "int_old_channels",
        "ingest_batches",
    }


def test_the_copy_stands_alone_and_its_views_are_read_at_read_time(databases: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "support.duckdb"
    publish(databases, copy)
    for file in databases.values():
        file.unlink()
    with duckdb.connect(str(copy), read_only=True) as connection:
        (first,) = connection.execute("select tickets, read_at from rpt_def_a_old_name").fetchall()
        (second,) = connection.execute("select tickets, read_at from rpt_def_a_old_name").fetchall()
        assert connection.execute("select * from fct_old_tickets_daily").fetchall() == [("email", 3)]
    assert first[0] == 3
    assert second[1] > first[1]


def test_readers_and_the_pipeline_do_not_disturb_each_other(databases: dict[str, Path], tmp_path: Path) -> None:
    """One process stays with the file it opened, another opens the published name for each question."""
    copy = tmp_path / "support.duckdb"
    versions = 2 * VERSIONS_KEPT

    def work(version: int) -> None:
        with duckdb.connect(str(databases["DEF_DB_LOCAL"])) as own:  # fails if a reader held the live file
            own.execute(
                f"create or replace table gold.agg_def_numbers as select {version} as version from range(200_000)"
            )
        publish(databases, copy)

    work(0)
    with reading(copy, stays=True) as stayed, reading(copy, stays=False) as came_back:
        assert stayed.answer() == came_back.answer() == (0, 200_000)
        for version in range(1, versions):
            stayed.ask()
            came_back.ask()
            work(version)
            assert stayed.answer() == (0, 200_000)
            assert came_back.answer() in [(version - 1, 200_000), (version, 200_000)]
        came_back.ask()
        assert came_back.answer() == (versions - 1, 200_000)


READER = """
import json, sys, duckdb
copy, stays = sys.argv[1], sys.argv[2] == "True"
question = "select any_value(version), count(*) from (select version from agg_def_numbers order by random()) group by version"
connection = duckdb.connect(copy, read_only=True)
while True:
    print(json.dumps(connection.execute(question).fetchall()), flush=True)
    sys.stdin.readline()
    if not stays:
        connection.close()
        connection = duckdb.connect(copy, read_only=True)
"""


@dataclass(frozen=True)
class Reader:
    """A process that answers one question after the other from the published copy."""

    process: subprocess.Popen[str]

    def ask(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def answer(self) -> tuple[int, int]:
        """The version it read, and how many rows of it."""
        assert self.process.stdout
        ((version, rows),) = json.loads(self.process.stdout.readline())
        return version, rows


@contextmanager
def reading(copy: Path, *, stays: bool) -> Iterator[Reader]:
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(copy), str(stays)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Reader(process)
        finally:
            process.kill()


def test_only_some_versions_are_kept(databases: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "serving" / "support.duckdb"
    for _ in range(VERSIONS_KEPT + 2):
        publish(databases, copy)
    files = sorted(path.name for path in copy.parent.iterdir())
    assert len(files) == VERSIONS_KEPT + 1
    assert copy.resolve().name == files[VERSIONS_KEPT - 1]


def test_a_view_over_something_unpublished_leaves_the_last_copy_in_place(
    databases: dict[str, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "serving" / "support.duckdb"
    publish(databases, copy)
    before = copy.resolve()
    with duckdb.connect(str(databases["DEF_DB_LOCAL"])) as own:
        own.execute("create view gold.rpt_def_leak as select * from DEF_DB_LOCAL.gold.fct_def_tickets")
    with pytest.raises(PublishError, match="a report view reads something that is not published: rpt_def_leak"):
        publish(databases, copy)
    assert copy.resolve() == before
    assert not [path for path in copy.parent.iterdir() if "partial" in path.name]


def test_a_client_without_a_database_yet_is_no_error(databases: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "support.duckdb"
    publish(databases | {"NEW_DB_LOCAL": tmp_path / "NEW_DB_LOCAL.duckdb"}, copy)
    assert "dim_channel" in names(copy)
