from pathlib import Path

import pytest

from include.simulators.clock import Clock
from include.simulators.pylon.api import PylonApi, Settings
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
