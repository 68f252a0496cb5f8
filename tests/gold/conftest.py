"""One loaded and built world per seed, shared by all tests of Gold: a load costs seconds. Tests only read it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.gold.recording import Recording
from tests.gold.world import NIGHTS, Built, Loaded, build, replay

# In all but one of them something that was deleted comes back where it can be seen. A campaign asks for others.
SEEDS = [int(seed) for seed in os.environ.get("SUPPORT_GOLD_SEEDS", "8,10,27,4,16").split(",")]
# The larger one has a year behind it when it is first read. Without any, only the tiny ones.
LARGER = [int(seed) for seed in os.environ.get("SUPPORT_GOLD_SMALL_SEEDS", "3").split(",") if seed]
WORLDS = [*((seed, "tiny", NIGHTS) for seed in SEEDS), *((seed, "small", NIGHTS[-2:]) for seed in LARGER)]


@pytest.fixture(scope="session")
def built_and_recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Recording]:
    return build(tmp_path_factory.mktemp("built"), SEEDS[0])


@pytest.fixture(scope="session")
def built(built_and_recorded: tuple[Built, Recording]) -> Built:
    """The world dbt built: for what is about the machinery and not about what a world holds."""
    return built_and_recorded[0]


@pytest.fixture(scope="session")
def recording(built_and_recorded: tuple[Built, Recording]) -> Recording:
    return built_and_recorded[1]


@pytest.fixture(scope="session", params=WORLDS, ids=lambda world: f"{world[1]} {world[0]}")
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, built: Built, recording: Recording
) -> Iterator[Loaded]:
    """A world after its last night."""
    seed, size, nights = request.param
    world: Loaded = built
    if (seed, size) != (built.seed, built.size):
        world = replay(tmp_path_factory.mktemp(f"world_{size}_{seed}"), seed, recording, size, nights)
    yield world
    world.close()
