"""Landing on an S3 API, served on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from include.bronze.landing import Landing, LandingError
from tests.bronze.test_landing_and_warehouse import NOW, DuckDBPlace, batch, land, load, query
from tests.support.bucket import served_bucket

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with served_bucket("landing") as url:
        yield url


@pytest.fixture
def landing(bucket: str, request: pytest.FixtureRequest) -> Landing:
    return Landing(f"{bucket}/{request.node.name}")


def test_a_batch_lands_in_a_bucket_and_is_loaded_from_it(landing: Landing, tmp_path: Path) -> None:
    place = DuckDBPlace(tmp_path / "warehouse" / "DEF_DB_LOCAL.duckdb")
    manifest = land(landing, batch(4), ["a", "b", "c"])
    assert not landing.is_local
    assert landing.newest(batch(4)) == manifest
    assert landing.keys(manifest) == ["a", "b", "c"]
    assert landing.batches("def", "pylon_issues") == [batch(4)]
    load(place, landing, manifest)
    assert query(place, "select id from bronze.pylon_issues order by all") == [("a",), ("b",), ("c",)]


def test_an_attempt_in_a_bucket_without_a_manifest_is_never_read(landing: Landing) -> None:
    cut_off = landing.new_attempt(batch(4), NOW)
    landing.write_part(landing.part_path(cut_off, 1), {"ID": ["b"]})
    with pytest.raises(LandingError, match="has no complete attempt"):
        landing.newest(batch(4))
    complete = land(landing, batch(4), ["a"], at=NOW + timedelta(hours=1))
    assert landing.newest(batch(4)) == complete


def test_an_attempt_is_removed_from_a_bucket(landing: Landing) -> None:
    manifest = land(landing, batch(4), ["a"])
    (folder,) = landing.folders(batch(4))
    assert landing.remove(folder) >= manifest.parts[0].bytes
    assert Landing(f"s3://{landing.root}").folders(batch(4)) == []
