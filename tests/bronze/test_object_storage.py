"""Landing on an S3 API, served on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from include.bronze.landing import Landing, LandingError
from tests.bronze.test_landing_and_warehouse import NOW, DuckDBPlace, batch, land, load, query

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    monkeypatch = pytest.MonkeyPatch()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
        }.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3", endpoint_url=url).create_bucket(Bucket="landing")
        yield "s3://landing"
    finally:
        server.stop()
        monkeypatch.undo()


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
