"""The smoke run for a person with an account, tried on the emulator: what it does works, and it leaves nothing behind."""

from __future__ import annotations

import pytest

from include.bronze import smoke
from include.bronze.warehouses import WarehouseError
from include.snowflake import Login
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
