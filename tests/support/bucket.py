"""A bucket of an S3 API, served on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import fsspec
import pytest
from moto.server import ThreadedMotoServer


@contextmanager
def served_bucket(name: str) -> Iterator[str]:
    """Its URL. Whoever opens it finds server and credentials in the environment until the block ends."""
    monkeypatch = pytest.MonkeyPatch()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        for variable, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
        }.items():
            monkeypatch.setenv(variable, value)
        # fsspec keeps what it opened by the URL, and a server of an earlier test had the same.
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        boto3.client("s3", endpoint_url=url).create_bucket(Bucket=name)
        yield f"s3://{name}"
    finally:
        server.stop()
        monkeypatch.undo()
