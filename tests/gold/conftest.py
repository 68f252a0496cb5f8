"""One loaded and built world per seed, shared by all tests of Gold: a load costs seconds. Tests only read it."""

from __future__ import annotations

import pytest

from tests.gold.world import Loaded, load

SEEDS = (4, 14, 21)
# For what is about the machinery and not about what a world holds: one world is enough.
ON_ONE_WORLD = pytest.mark.parametrize("loaded", SEEDS[:1], indirect=True, ids=lambda seed: f"seed {seed}")


@pytest.fixture(scope="session", params=SEEDS, ids=lambda seed: f"seed {seed}")
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A tiny world, built after its last night; the first of them after some nights before, too, as in operation."""
    in_between = (0, 3) if request.param == SEEDS[0] else ()
    return load(tmp_path_factory.mktemp(f"world_{request.param}"), request.param, built_after=in_between)
