"""A load that is disturbed leaves the batch as it was, or whole: whatever is cut, and whenever."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from snowflake.connector.storage_client import SnowflakeStorageClient

from include.bronze.landing import Landing, Manifest
from include.bronze.warehouses import WarehouseError
from include.bronze.warehouses.snowflake import SnowflakeWarehouse
from include.snowflake import Login
from tests.bronze.test_landing_and_warehouse import ISSUES, NOW, SnowflakePlace, batch, land, load, state_of
from tests.snowflake.emulator import Emulator
from tests.snowflake.proxy import AFTER, BEFORE, Proxy, proxy_to

pytestmark = pytest.mark.integration

OLD, NEW = "as it was", "whole"
CUTS = [
    ("PUT /fs_bucket", BEFORE, OLD),
    ("PUT /fs_bucket", AFTER, OLD),
    ('"begin"', BEFORE, OLD),
    ('"begin"', AFTER, OLD),
    ("delete from BRONZE..\"PYLON_ISSUES", BEFORE, OLD),
    ("delete from BRONZE..\"PYLON_ISSUES", AFTER, OLD),
    ("copy into", BEFORE, OLD),
    ("copy into", AFTER, OLD),
    ("insert into BRONZE.INGEST_BATCHES", AFTER, OLD),
    ("insert into BRONZE.INGEST_COVERAGE", AFTER, OLD),
    ('"commit"', BEFORE, OLD),
    ('"commit"', AFTER, NEW),
]  # fmt: skip
IDS = [f"{when} {what}" for what, when, _ in CUTS]


class Disturbed:
    """A batch that is loaded, another attempt at it, and a way to Snowflake that can be cut."""

    def __init__(self, emulator: Emulator, proxy: Proxy, landing: Landing) -> None:
        self.emulator, self.proxy, self.landing = emulator, proxy, landing
        self.place = SnowflakePlace(emulator, f"DEF_DB_{uuid4().hex}".upper())
        load(self.place, landing, land(landing, batch(4), ["a", "b"]))
        self.before = state_of(self.place)
        self.second = land(landing, batch(4), ["b", "c", "d", "e", "f"], state="closed", at=NOW + timedelta(hours=1))

    def load(self, manifest: Manifest | None = None) -> None:
        through = self.emulator.environment | {"SNOWFLAKE_PORT": str(self.proxy.port)}
        opened = SnowflakeWarehouse(Login.read(through), self.place.database, {"by": "a test"}, patience=1)
        with closing(opened) as warehouse:
            warehouse.load(ISSUES, manifest or self.second, self.landing, "run")

    def cut(self, what: str, when: str) -> None:
        self.proxy.cut = lambda request: when if re.search(what, request) else None

    def after(self) -> str:
        """What the batch is now, which must be one of two."""
        self.emulator.expire_idle_transactions()
        now = state_of(self.place)
        if now == self.before:
            return OLD
        rows, batches, coverage = now
        assert sorted(row[0] for row in rows) == ["b", "c", "d", "e", "f"], "neither as it was nor whole"
        assert {row[1] for row in rows} == {"closed"}
        assert [row[2] for row in batches] == [self.second.attempt]
        assert [row[-1] for row in coverage] == [5]
        return NEW


@pytest.fixture
def disturbed(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disturbed]:
    monkeypatch.setattr(SnowflakeStorageClient, "SLEEP_UNIT", 0.01)  # an upload is tried for half a minute otherwise
    with proxy_to(emulator.port) as proxy:
        yield Disturbed(emulator, proxy, Landing(str(tmp_path)))


@pytest.mark.parametrize(("what", "when", "left"), CUTS, ids=IDS)
def test_a_connection_that_is_lost_leaves_the_batch_as_it_was_or_whole(
    disturbed: Disturbed, what: str, when: str, left: str
) -> None:
    disturbed.cut(what, when)
    said = "either whole or as it was; load it again" if "commit" in what else "was not loaded and .* is as it was"
    with pytest.raises(WarehouseError, match=f"{said}.*Snowflake cannot be reached, or the connection broke"):
        disturbed.load()
    assert disturbed.proxy.cuts, "nothing was cut"
    assert disturbed.after() == left
    disturbed.proxy.mend()
    disturbed.load()
    assert disturbed.after() == NEW


@pytest.mark.parametrize(("what", "when", "left"), CUTS, ids=IDS)
def test_a_connection_that_is_back_at_once_goes_unnoticed(
    disturbed: Disturbed, what: str, when: str, left: str
) -> None:
    disturbed.proxy.is_glitch = True
    cuts = iter([when])
    disturbed.proxy.cut = lambda request: next(cuts, None) if re.search(what, request) else None
    disturbed.load()
    assert disturbed.proxy.cuts == 1
    assert disturbed.after() == NEW


def test_a_stage_that_cannot_be_cleaned_does_not_undo_a_load(
    disturbed: Disturbed, caplog: pytest.LogCaptureFixture
) -> None:
    disturbed.emulator.fail(r"remove @\S+/[0-9a-f]{32}/", 3001, "42501", "Insufficient privileges")
    disturbed.load()
    assert "was left behind; the next load of the batch removes it" in caplog.text
    assert disturbed.after() == NEW
    stage = f"list @{disturbed.place.database}.BRONZE.%{ISSUES.name}"
    assert disturbed.place.rows(stage)
    disturbed.load()
    assert not disturbed.place.rows(stage)


@pytest.mark.parametrize(
    ("code", "message"), [(390112, "Your session has expired."), (390114, "Authentication token has expired.")]
)
@pytest.mark.parametrize("at", ["begin", "copy into", "insert into BRONZE.INGEST_COVERAGE", "commit"])
def test_a_token_that_expires_in_the_middle_leaves_the_batch_as_it_was(
    disturbed: Disturbed, at: str, code: int, message: str
) -> None:
    disturbed.emulator.fail(f"^{at}", code, "08001", message)
    with pytest.raises(WarehouseError, match="was not loaded and .* is as it was"):
        disturbed.load()
    assert disturbed.after() == OLD


def test_a_part_that_cannot_be_read_fails_the_whole_load(disturbed: Disturbed) -> None:
    """Its checksum is right: it was landed like that."""
    part = disturbed.second.parts[1]
    content = b"PAR1 this is no Parquet file PAR1"
    Path(disturbed.landing.full_path(part.path)).write_bytes(content)
    broken = replace(part, sha256=hashlib.sha256(content).hexdigest())
    parts = (disturbed.second.parts[0], broken, disturbed.second.parts[2])
    with pytest.raises(WarehouseError, match="was not loaded and .* is as it was"):
        disturbed.load(replace(disturbed.second, parts=parts))
    assert disturbed.after() == OLD


def test_a_part_with_fewer_rows_than_the_manifest_says_fails_the_whole_load(disturbed: Disturbed) -> None:
    with pytest.raises(WarehouseError, match="its parts hold 5 rows and its manifest says 6"):
        disturbed.load(replace(disturbed.second, rows=6))
    assert disturbed.after() == OLD


@pytest.mark.parametrize("at", ["delete from", "copy into", "insert into BRONZE.INGEST_BATCHES"])
def test_a_statement_that_is_refused_leaves_the_batch_as_it_was(disturbed: Disturbed, at: str) -> None:
    disturbed.emulator.fail(f"^{at}", 3001, "42501", "Insufficient privileges to operate on table")
    with pytest.raises(WarehouseError, match="role SUPPORT_TRANSFORMER lacks a privilege"):
        disturbed.load()
    assert disturbed.after() == OLD
