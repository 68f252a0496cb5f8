"""The files other departments drop."""

import csv
import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from include.simulators.drops import DEFAULT_FORMATS, FORMATS, Drops
from include.simulators.world.directory import PUBLIC_MAIL
from include.simulators.world.plan import System
from include.simulators.world.times import DAY

from .driver import ROOT, served


def read(path):
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".ndjson":
        return [json.loads(line) for line in path.read_text().splitlines()]
    return pq.read_table(path).to_pylist()


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("chosen", FORMATS)
def test_every_format_holds_the_same_rows(tiny, tmp_path, chosen):
    written = Drops(tiny).write(tiny.size.clock, tmp_path / chosen, only=chosen)
    reference = Drops(tiny).write(tiny.size.clock, tmp_path / "reference", only="ndjson")
    assert {path.suffix for path in written} == {f".{chosen}"}
    for path, expected in zip(written, reference, strict=True):
        rows = [{k: "" if v is None else str(v) for k, v in row.items()} for row in read(path)]
        assert rows == [{k: "" if v is None else str(v) for k, v in row.items()} for row in read(expected)]


def test_the_same_instant_gives_the_same_bytes(tiny, tmp_path):
    for name in ("one", "other"):
        Drops(tiny).write(tiny.size.clock, tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_days_written_one_by_one_are_the_days_written_at_once(tiny, tmp_path):
    at = tiny.size.clock
    Drops(tiny).write(at, tmp_path / "step")
    for _ in range(8):
        Drops(tiny).write(at + DAY, tmp_path / "step", since=at)
        at += DAY
    Drops(tiny).write(at, tmp_path / "once")
    assert contents(tmp_path / "step") == contents(tmp_path / "once")


def test_a_days_workforce_file_may_be_corrected_two_days_later(small, tmp_path):
    at = small.size.clock
    Drops(small).write(at, tmp_path / "drop")
    before = contents(tmp_path / "drop")
    Drops(small).write(at + 3 * DAY, tmp_path / "drop", since=at)
    after = contents(tmp_path / "drop")
    corrected = [name for name in before if "workforce" in name and before[name] != after[name]]
    assert not [name for name in before if "qa_reviews" in name and before[name] != after[name]]
    assert all(name >= "workforce_agent_days/workforce_agent_days_2026-01-0" for name in corrected)
    assert set(after) > set(before)


def test_the_roster_and_the_users_do_not_quite_agree(tiny, tmp_path):
    Drops(tiny).write(tiny.size.clock, tmp_path)
    rows = read(tmp_path / "roster" / "roster.csv")
    listed = {row["email"] for row in rows}
    users = {agent.email for agent in tiny.directory.agents if agent.joined <= tiny.size.clock}
    assert users - listed
    assert listed - users
    assert users & {email.lower() for email in listed} > users & listed
    assert {row["employment_status"] for row in rows} == {"active", "terminated"}


def test_salesforce_has_domains_twice_and_accounts_without_any(small, tmp_path):
    Drops(small).write(small.size.clock, tmp_path)
    domains = [row["domain"] for row in read(tmp_path / "salesforce_accounts" / "salesforce_accounts.csv")]
    assert "" in domains
    assert set(domains) & set(PUBLIC_MAIL)
    own = [domain for domain in domains if domain.endswith(".example")]
    assert len(set(own)) < len(own)


def test_reviews_are_of_tickets_that_were_answered_before(small, tmp_path):
    Drops(small).write(small.size.clock, tmp_path)
    rows = [row for path in (tmp_path / "qa_reviews").iterdir() for row in read(path)]
    known = {small.thread_id(t.index) for t in small.tickets if t.system is System.PLAIN}
    assert {row["system"] for row in rows} == {"plain", "pylon"}
    assert {row["ticket_id"] for row in rows if row["system"] == "plain"} <= known
    assert all(0 <= row["score"] <= row["max_score"] == 100 for row in rows)
    assert len({row["review_id"] for row in rows}) == len(rows)


@pytest.mark.integration
def test_the_files_verb_writes_them_and_says_how_many(tmp_path):
    command = [sys.executable, "-m", "include.simulators", "files", "--size", "tiny", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    written = contents(tmp_path / "out")
    assert done.stdout == f"{len(written)} files in {tmp_path / 'out'}\n"
    assert {name.split("/")[0] for name in written} == set(DEFAULT_FORMATS)


@pytest.mark.integration
def test_a_served_world_drops_its_files_and_adds_to_them_when_its_clock_moves(tmp_path):
    import requests

    with served(tmp_path, "--size", "tiny") as (_, facts):
        before = contents(tmp_path / "drop")
        body = {"advance_seconds": 3 * 86_400}
        requests.post(f"{facts['pylon']}/_sim/clock", json=body, timeout=30).raise_for_status()
        after = contents(tmp_path / "drop")
    assert before
    assert set(before) < set(after)
