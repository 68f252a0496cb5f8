"""One emulator for all tests that can share it: each works in tables of its own, or empties them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.snowflake.emulator import Emulator, running


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with running() as started:
        yield started
