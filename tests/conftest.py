"""What every test can count on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.snowflake.emulator import Emulator

# A command that a shell started in the background ignores Ctrl-C, and so would every process that a test starts in order
# to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


TESTS = Path(__file__).parent
# What takes longest begins first.
FIRST = ("e2e", "gold", "dbt", "snowflake", "bronze")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of one room run in one process, since they share what is costly to set up."""

    def room(item: pytest.Item) -> str:
        return item.path.relative_to(TESTS).parts[0]

    for item in items:
        item.add_marker(pytest.mark.xdist_group(room(item)))
    items.sort(key=lambda item: FIRST.index(room(item)) if room(item) in FIRST else len(FIRST))


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One stand-in for Snowflake for all tests that ask for it: each works in databases or schemas of its own."""
    from tests.snowflake.emulator import running

    with running() as started:
        yield started
