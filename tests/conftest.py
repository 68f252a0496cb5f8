"""What every test can count on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from tests.snowflake.emulator import Emulator

# A command that a shell started in the background ignores Ctrl-C, and so would every process that a test starts in order
# to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Rooms within a room: they start a stack of their own.
APART = ("e2e/fast_forward", "e2e/test_seven_nights.py")
# What takes longest begins first.
FIRST = ("e2e", "gold", *APART, "dbt", "snowflake", "bronze")


def room(path: str) -> str:
    """The part of the tests that a test belongs to."""
    place = path.removeprefix("tests/").split("::")[0]
    return next((apart for apart in APART if place.startswith(apart)), place.split("/")[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: position for position, name in enumerate(FIRST)}
    items.sort(key=lambda item: order.get(room(item.nodeid), len(FIRST)))


class RoomByRoom(LoadScopeScheduling):
    """Runs the tests of one room in one process, since they share what is costly to set up."""

    def _split_scope(self, nodeid: str) -> str:
        return room(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> RoomByRoom:
    return RoomByRoom(config, log)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One stand-in for Snowflake for all tests that ask for it: each works in databases or schemas of its own."""
    from tests.snowflake.emulator import running

    with running() as started:
        yield started
