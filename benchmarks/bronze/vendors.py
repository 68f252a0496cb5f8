"""The simulated vendors in a process of their own, and a client of them that only downloads."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from include.bronze.steps import Bronze, Connection
from include.settings import REPO, load_settings

PYLON_TOKEN, PLAIN_TOKEN = "sim-pylon-token", "plainApiKey_sim"


@dataclass(frozen=True)
class Vendors:
    """Where they are."""

    data_dir: Path
    pylon: str
    plain: str
    pid: int

    @property
    def peak_mb(self) -> float:
        """The most memory that their process has had."""
        status = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024

    @property
    def cpu(self) -> float:
        """The CPU seconds that their process has had."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def asked(self) -> list[dict[str, Any]]:
        """Every request since the list was last forgotten."""
        with Downloader(self.pylon) as client:
            found: list[dict[str, Any]] = json.loads(client.download("GET", "/_sim/requests"))["requests"]
        return found

    def forget(self) -> None:
        """Begin the list of requests anew."""
        with Downloader(self.pylon) as client:
            client.download("DELETE", "/_sim/requests")

    def advance(self, by: timedelta) -> None:
        """Move their clock."""
        self._told("/_sim/clock", {"advance_seconds": by.total_seconds()})

    def limit(self) -> None:
        """Keep Pylon's rate limits from now on."""
        self._told("/_sim/settings", {"pylon": {"limits": True}})

    def _told(self, path: str, body: dict[str, Any]) -> None:
        with Downloader(self.pylon) as client:
            client.download("POST", path, json.dumps(body).encode())

    def bronze(self, folder: Path, gap: float | None = None) -> Bronze:
        """The product, pointed at them, with its data in a folder and that gap between requests; else its own."""
        clock = str(self.data_dir / "simulators" / "clock.json")
        settings = load_settings({"SUPPORT_DATA_DIR": str(folder), "SUPPORT_CLOCK_FILE": clock})
        extra = {} if gap is None else {"minimum_gap_seconds": gap}
        opened = {
            "pylon_def": Connection(self.pylon, PYLON_TOKEN, extra),
            "plain_def": Connection(self.plain, PLAIN_TOKEN, extra),
        }
        return Bronze(settings, settings.client("def"), opened.__getitem__, "a benchmark")


class Downloader:
    """Downloads, over one connection that stays open, and looks at nothing."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self._headers = {"Authorization": f"Bearer {PYLON_TOKEN}", "Content-Type": "application/json"}

    def __enter__(self) -> Downloader:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def download(self, method: str, target: str, body: bytes | None = None) -> bytes:
        """The whole reply."""
        self._connection.request(method, target, body, self._headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != http.client.OK:
            raise RuntimeError(f"{method} {target}: HTTP {response.status}")
        return content


class Session(requests.Session):
    """Downloads as most scripts do, by a session of requests, and looks at nothing either."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.update({"Authorization": f"Bearer {PYLON_TOKEN}", "Content-Type": "application/json"})
        self._url = url

    def download(self, method: str, target: str, body: bytes | None = None) -> bytes:
        """The whole reply."""
        response = self.request(method, f"{self._url}{target}", data=body)
        response.raise_for_status()
        return response.content


@contextmanager
def served(data_dir: Path, size: str, *options: str) -> Iterator[Vendors]:
    """Simulated vendors on loopback until the block ends."""
    command = [sys.executable, "-m", "include.simulators", "serve", "--size", size, "--data-dir", str(data_dir)]
    process = subprocess.Popen(
        [*command, "--pylon-port", "0", "--plain-port", "0", *options],
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        if words[:1] != ["ready"]:
            raise RuntimeError("the simulated vendors did not start")
        facts = dict(word.split("=", 1) for word in words[1:])
        yield Vendors(data_dir, facts["pylon"], facts["plain"], process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=30)
