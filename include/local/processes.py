"""The master's end of a keeper: start processes, learn of their ends, stop them all."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.local import keeper
from include.local.console import duration
from include.local.folder import REPO, Place, StackError

PYTHON = sys.executable


class Processes:
    """The master's end of a keeper: start processes, learn of their ends, stop them all."""

    def __init__(self, place: Place, lock: int) -> None:
        self.place = place
        self.logs: dict[str, Path] = {}
        self.exits: dict[str, int] = {}
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        keeper.adopt_orphans()
        self._keeper = subprocess.Popen(
            [PYTHON, "-m", "include.local.keeper", str(place.data)],
            cwd=REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches this process alone; it decides
            pass_fds=(lock,),  # the folder stays held until the keeper is gone too
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._keeper.stdout
        for line in self._keeper.stdout:
            self._events.put(json.loads(line))
        self._events.put({"name": "keeper", "exit": self._keeper.wait()})

    def start(self, name: str, argv: list[str], env: Mapping[str, str]) -> None:
        """Start one process; what it says goes to a log of its name."""
        assert self._keeper.stdin
        log = self.place.logs / "services" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            log.replace(log.with_suffix(".previous.log"))
        self.logs[name] = log
        self.exits.pop(name, None)
        self._keeper.stdin.write(json.dumps({"start": name, "argv": argv, "env": dict(env), "log": str(log)}) + "\n")
        self._keeper.stdin.flush()

    def poll(self) -> dict[str, int]:
        """The exit codes of everything that has ended so far."""
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._events.get_nowait()
                if "exit" in event:
                    self.exits[event["name"]] = event["exit"]
        return self.exits

    def check(self, *names: str) -> None:
        """Raise when one of these, or the keeper, has ended though it should be running."""
        exits = self.poll()
        for name in (*names, "keeper"):
            if name in exits:
                raise StackError(f"{name} ended with exit code {exits[name]}.{self.last_words(name)}")

    def wait(self, name: str, timeout: float) -> None:
        """Wait for a job's end and raise when it failed."""
        deadline = time.monotonic() + timeout
        while name not in self.poll():
            self.check()
            if time.monotonic() > deadline:
                raise StackError(f"{name} has not ended after {duration(timeout)}.{self.last_words(name)}")
            time.sleep(0.05)
        if self.exits[name] != 0:
            raise StackError(f"{name} failed with exit code {self.exits[name]}.{self.last_words(name)}")

    def last_words(self, name: str, lines: int = 15) -> str:
        """The end of a process's log, for an error message."""
        log = self.logs.get(name)
        if not log:
            return ""
        said = log.read_text(errors="replace").splitlines() if log.is_file() else []
        return "\n".join([" Its last lines:", *(f"    {line}" for line in said[-lines:]), f"  The whole log: {log}"])

    def stop(self) -> None:
        """End everything that was started and wait until it is gone."""
        with contextlib.suppress(OSError):
            if self._keeper.stdin:
                self._keeper.stdin.close()
        try:
            self._keeper.wait(timeout=keeper.GRACE + 15)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
        # The keeper may have been killed: then this process is the one to clear up.
        keeper.sweep(str(self.place.data), grace=1)
        keeper.adopt_orphans(adopt=False)
