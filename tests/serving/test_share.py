"""The published copy on an S3 API, served on loopback, and on a plain folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import fsspec
import pytest

from include.serving.publish import VERSIONS_KEPT, publish
from include.serving.share import POINTER, share
from tests.support.bucket import served_bucket

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with served_bucket("marts") as url:
        yield url


@pytest.fixture(params=["bucket", "folder"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "shared")
    return f"{request.getfixturevalue('bucket')}/serving"


def published(tmp_path: Path, tickets: int) -> Path:
    """A copy whose one mart says this number."""
    database, copy = tmp_path / "DEF_DB_LOCAL.duckdb", tmp_path / "serving" / "support.duckdb"
    with duckdb.connect(str(database)) as own:
        own.execute("create schema if not exists gold")
        own.execute(f"create or replace table gold.agg_def_tickets_daily as select {tickets} as tickets")
    publish({"DEF_DB_LOCAL": database}, copy)
    return copy


def read(url: str, tmp_path: Path) -> int:
    """What a reader elsewhere finds: the newest version, by the only name it knows."""
    files, root = fsspec.core.url_to_fs(url)
    files.invalidate_cache()
    named = json.loads(files.cat_file(f"{root}/{POINTER}"))
    content = files.cat_file(f"{root}/{named['file']}")
    assert (len(content), hashlib.sha256(content).hexdigest()) == (named["bytes"], named["sha256"])
    local = tmp_path / "elsewhere.duckdb"
    local.write_bytes(content)
    with duckdb.connect(str(local), read_only=True) as copy:
        ((tickets,),) = copy.execute("select tickets from agg_def_tickets_daily").fetchall()
    return int(tickets)


def test_the_newest_version_is_found_by_its_name_and_some_older_ones_stay(url: str, tmp_path: Path) -> None:
    where = []
    for tickets in range(VERSIONS_KEPT + 2):
        where.append(share(published(tmp_path, tickets), url))
        assert read(url, tmp_path) == tickets
    files, root = fsspec.core.url_to_fs(url)
    files.invalidate_cache()
    there = sorted(str(path) for path in files.ls(root, detail=False))
    assert there == sorted([*where[-VERSIONS_KEPT:], f"{root}/{POINTER}"])


def test_a_version_that_was_cut_off_is_never_named(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share(published(tmp_path, 1), url)
    files, _ = fsspec.core.url_to_fs(url)

    def half(local: str, remote: str, **_: object) -> None:
        content = Path(local).read_bytes()
        files.pipe_file(remote, content[: len(content) // 2])
        raise OSError("the connection is gone")

    with monkeypatch.context() as patch:
        patch.setattr(type(files), "put_file", lambda _self, local, remote, **more: half(local, remote, **more))
        with pytest.raises(OSError, match="the connection is gone"):
            share(published(tmp_path, 2), url)
    assert read(url, tmp_path) == 1
    share(published(tmp_path, 3), url)
    assert read(url, tmp_path) == 3
