"""A copy of the repository as a user has it, with an empty environment and a home folder that must stay empty."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from include.local import keeper
from include.local.bootstrap import STAMP
from include.local.stack import free_port

REPO = Path(__file__).resolve().parents[2]
PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass
class Checkout:
    """A working copy with a data folder of its own, on the environment the tests run in."""

    folder: Path
    home: Path
    data: Path

    def env(self, **more: str) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "SUPPORT_DATA_DIR": str(self.data), **more}

    def make(self, *words: str, timeout: float = 600, **env: str) -> subprocess.CompletedProcess[str]:
        """Run make as a user does and wait for it."""
        return subprocess.run(
            ["make", *words],
            cwd=self.folder,
            env=self.env(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *words: str, log: Path, **env: str) -> subprocess.Popen[bytes]:
        """Start make in a session of its own, as a terminal would, and leave it running."""
        with log.open("wb") as output:
            return subprocess.Popen(
                ["make", *words],
                cwd=self.folder,
                env=self.env(**env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def processes(self) -> list[psutil.Process]:
        """What of this copy's stack is running."""
        return keeper.marked(str(self.data))


def until(condition: Callable[[], bool], seconds: float, process: subprocess.Popen[bytes] | None = None) -> bool:
    """Wait for a condition; give up when the time is over or the process has ended."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or (process and process.poll() is not None):
            return condition()
        time.sleep(0.1)
    return True


def copy_of_the_repository(to: Path) -> None:
    """What a clone would hold: every file git tracks or would track, as it stands in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPO,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = REPO / name
        if source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to / name)
    (to / ".venv").symlink_to(sys.prefix)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A copy in which nothing has been run."""
    if not (Path(sys.prefix) / STAMP).is_file():
        pytest.skip(f"{sys.prefix} was not made by make setup, which these tests build on; run them with make test")
    base = tmp_path_factory.mktemp("user")
    checkout = Checkout(base / "repo", base / "home", base / "data")
    checkout.folder.mkdir()
    checkout.home.mkdir()
    copy_of_the_repository(checkout.folder)
    yield checkout
    keeper.sweep(str(checkout.data), grace=1)


@dataclass
class FirstRun:
    """What `make run` did in a bare copy."""

    checkout: Checkout
    result: subprocess.CompletedProcess[str]
    seconds: float


@pytest.fixture(scope="session")
def first_run(pristine: Checkout) -> FirstRun:
    """The copy after its first `make run`. Tests may go on from here in any order."""
    started = time.monotonic()
    result = pristine.make("run")
    return FirstRun(pristine, result, time.monotonic() - started)


@dataclass
class Served:
    """A running `make up`."""

    url: str
    user: str
    password: str
    process: subprocess.Popen[bytes]
    said: str
    first_run: FirstRun


@pytest.fixture(scope="session")
def served(first_run: FirstRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("up") / "up.log"
    port = free_port()
    process = first_run.checkout.start("up", f"PORT={port}", log=log)
    ready = re.compile(r"^Ready: (\S+) - log in as (\S+) / (\S+)", re.MULTILINE)
    try:
        assert until(lambda: bool(ready.search(log.read_text())), 120, process), log.read_text()
        found = ready.search(log.read_text())
        assert found
        yield Served(found[1], found[2], found[3], process, log.read_text(), first_run)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
