"""The smoke run for a person with an account, tried on the emulator: what it does works, and it leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from include.bronze import smoke
from include.bronze.landing import Landing
from include.bronze.steps import Bronze, Connection
from include.bronze.warehouses import WarehouseError
from include.settings import Target, load_settings
from include.snowflake import Login
from tests.bronze.test_landing_and_warehouse import ISSUES, batch, land
from tests.snowflake.emulator import Emulator

pytestmark = pytest.mark.integration


def schemas(emulator: Emulator) -> list[str]:
    found = emulator.query("select schema_name from information_schema.schemata", "DEF_DB_SMOKE")
    return [str(name) for (name,) in found if str(name).startswith("SMOKE")]


def test_it_writes_reads_and_cleans_up(emulator: Emulator) -> None:
    done = smoke.smoke(Login.read(emulator.environment), "DEF_DB_SMOKE")
    assert len(done) == 6
    assert "a load that fails changes nothing" in done
    assert schemas(emulator) == []


def test_what_does_not_work_is_said_and_cleaned_up_too(emulator: Emulator) -> None:
    emulator.fail("^copy into", 3001, "42501", "Insufficient privileges to operate on table stage")
    with pytest.raises(WarehouseError, match="role SUPPORT_TRANSFORMER lacks a privilege"):
        smoke.smoke(Login.read(emulator.environment), "DEF_DB_SMOKE")
    assert schemas(emulator) == []


def test_the_summary_of_a_run_is_read_from_the_ledger(emulator: Emulator, tmp_path: Path) -> None:
    settings = load_settings({"SUPPORT_DATA_DIR": str(tmp_path)})
    # A client of its own: the databases of the others are shared with every test of this emulator.
    client = settings.client("def").model_copy(update={"code": "sum"})
    settings = replace(settings, target=Target.DEV, clients={client.code: client})
    where = {"account": "emulator", "host": "127.0.0.1", "port": emulator.port, "protocol": "http"}
    bronze = Bronze(settings, client, lambda _: Connection(None, "any", where, "LOADER"), "a test")
    landing = Landing(str(tmp_path / "landing"))
    with bronze.warehouse() as warehouse:
        for day, ids, run in ((3, ["a", "b"], "before"), (4, ["a"], "this")):
            warehouse.load(ISSUES, land(landing, batch(day), ids), landing, run)
    assert bronze.totals(["this"]) == {"pylon_issues": (1, 1, 2, 3)}
