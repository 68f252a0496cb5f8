"""Sharing the published copy: the same file on any path fsspec can write, for readers on other machines.

    support-20260105T062000000000.duckdb     a version; nobody reads it before it is named
    latest.json                              the name of the newest version, with its size and checksum; written last

Object storage has neither links nor renames, so a reader asks which version is the newest and opens that one. It stays
while some newer ones come.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import fsspec

from include.serving.publish import VERSIONS_KEPT

POINTER = "latest.json"


def share(copy: Path, url: str) -> str:
    """Put the published copy below a URL, name it the newest, and forget the oldest. Says where it is."""
    version = copy.resolve()
    files, root = fsspec.core.url_to_fs(url)
    files.makedirs(root, exist_ok=True)
    files.put_file(str(version), f"{root}/{version.name}")
    with version.open("rb") as content:
        checksum = hashlib.file_digest(content, "sha256").hexdigest()
    named = {"file": version.name, "bytes": version.stat().st_size, "sha256": checksum}
    partial = f"{root}/{POINTER}.partial"
    files.pipe_file(partial, json.dumps(named).encode())
    files.mv(partial, f"{root}/{POINTER}")
    files.invalidate_cache()
    versions = sorted(str(path) for path in files.glob(f"{root}/{copy.stem}-*.duckdb"))
    for old in versions[:-VERSIONS_KEPT]:
        files.rm(old)
    return f"{root}/{version.name}"
