"""One loaded and built world per seed, shared by all tests of Gold: a load costs seconds. Tests only read it."""

from __future__ import annotations

import pytest

from tests.gold.world import Loaded, load

SEEDS = (4, 14, 21)


@pytest.fixture(scope="session", params=SEEDS, ids=lambda seed: f"seed {seed}")
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A tiny world, built after its last night; the first of them after some nights before, too, as in operation."""
    in_between = (0, 3) if request.param == SEEDS[0] else ()
    return load(tmp_path_factory.mktemp(f"world_{request.param}"), request.param, built_after=in_between)
