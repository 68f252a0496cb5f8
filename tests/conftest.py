"""What every test can count on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.snowflake.emulator import Emulator

# A command that a shell started in the background ignores Ctrl-C, and so would every process that a test starts in order
# to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One stand-in for Snowflake for all tests that ask for it: each works in databases or schemas of its own."""
    from tests.snowflake.emulator import running

    with running() as started:
        yield started
