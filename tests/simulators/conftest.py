from pathlib import Path

import pytest

from include.simulators.clock import Clock
from include.simulators.plain.api import PlainApi
from include.simulators.plain.api import Settings as PlainSettings
from include.simulators.pylon.api import PylonApi
from include.simulators.pylon.settings import Settings
from include.simulators.world.world import World


@pytest.fixture(scope="session")
def tiny() -> World:
    return World(7, "tiny")


@pytest.fixture
def clock(tmp_path: Path, tiny: World) -> Clock:
    return Clock(tmp_path / "clock.json", None, tiny.size.clock)


@pytest.fixture
def pylon(tiny: World, clock: Clock) -> PylonApi:
    return PylonApi(tiny, clock, Settings(limits=False))


@pytest.fixture
def plain(tiny: World, clock: Clock) -> PlainApi:
    return PlainApi(tiny, clock, PlainSettings(limits=False))


@pytest.fixture(scope="session")
def small() -> World:
    return World(7, "small")


@pytest.fixture(scope="module")
def small_pylon(tmp_path_factory: pytest.TempPathFactory, small: World) -> PylonApi:
    """For reading only: its clock is never moved."""
    clock = Clock(tmp_path_factory.mktemp("small") / "clock.json", None, small.size.clock)
    return PylonApi(small, clock, Settings(limits=False))


@pytest.fixture(scope="module")
def small_plain(tmp_path_factory: pytest.TempPathFactory, small: World) -> PlainApi:
    """For reading only: its clock is never moved."""
    clock = Clock(tmp_path_factory.mktemp("small") / "clock.json", None, small.size.clock)
    return PlainApi(small, clock, PlainSettings(limits=False))
