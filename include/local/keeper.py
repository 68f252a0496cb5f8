"""The keeper: owns every process of a running stack, and outlives its master just long enough to end them all.

`make run` and `make up` start one keeper and ask it, over a pipe, to start everything else. When the pipe closes,
however that came about (the end of the work, Ctrl-C, kill -9 of the master), the keeper ends what it started and then
itself.

Airflow's tasks live in process groups of their own, so groups do not find them all. Every process is started with a
mark in its environment, which its descendants inherit; what carries the mark belongs to the stack. That also finds what
a killed keeper left behind: whoever holds the stack's lock next sweeps it first.

Protocol, one JSON object a line. In: {"start": name, "argv": [...], "env": {...}, "log": path}.
Out: {"name": "keeper", "ready": true} once, then {"name": ..., "exit": code} for each that ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

MARK = "SUPPORT_STACK"
GRACE = 4.0  # seconds between asking and insisting

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans(*, adopt: bool = True) -> None:
    """Become the parent of orphaned descendants (Linux), so that none is left to a machine's first; or no more."""
    _prctl(PR_SET_CHILD_SUBREAPER, int(adopt))


def end_with_parent(number: signal.Signals) -> None:
    """Be sent this signal when the parent dies (Linux)."""
    _prctl(PR_SET_PDEATHSIG, number)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def marked(mark: str) -> list[psutil.Process]:
    """Every living process that carries this mark."""
    found = []
    me = os.getpid()
    for process in psutil.process_iter():
        if process.pid == me:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def sweep(mark: str, grace: float = GRACE) -> int:
    """End everything that carries the mark: ask, wait, insist until nothing is left. Returns how many there were."""
    processes = marked(mark)
    count = len(processes)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=grace) if processes else ([], [])
    deadline = time.monotonic() + 10
    while (alive or (alive := marked(mark))) and time.monotonic() < deadline:
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=1)
        alive = marked(mark)
    return count


class Keeper:
    """Starts what it is told to, reports what ends, and ends everything when told no more."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def start(self, name: str, argv: list[str], env: dict[str, str], log: str) -> None:
        # SPT_NOENV: setproctitle must not write its title over the environment, where the mark is.
        env = {**env, MARK: self.mark, "SPT_NOENV": "1"}
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        with Path(log).open("ab") as output:
            self.running[name] = subprocess.Popen(
                argv,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A keeper that is itself killed takes its children along. It has one thread, so preexec_fn is safe.
                preexec_fn=lambda: end_with_parent(signal.SIGKILL),
            )

    def reap(self) -> None:
        """Collect what has ended: services are reported, orphans only buried."""
        for name, process in list(self.running.items()):
            code = process.poll()
            if code is not None:
                del self.running[name]
                self.report({"name": name, "exit": code})
        own = {process.pid for process in self.running.values()}
        for child in psutil.Process().children():
            if child.pid not in own:
                with contextlib.suppress(psutil.Error, ChildProcessError):
                    if child.status() == psutil.STATUS_ZOMBIE:
                        os.waitpid(child.pid, os.WNOHANG)

    def report(self, event: dict[str, object]) -> None:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()

    def serve(self) -> None:
        """Obey until the pipe closes or a signal says stop."""
        os.set_blocking(sys.stdin.fileno(), False)
        waiting = selectors.DefaultSelector()
        waiting.register(sys.stdin, selectors.EVENT_READ)
        buffer = b""
        while not self.stopping:
            for _ in waiting.select(timeout=0.2):
                with contextlib.suppress(BlockingIOError):
                    chunk = os.read(sys.stdin.fileno(), 1 << 16)
                    if not chunk:
                        self.stopping = True
                    buffer += chunk
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                command = json.loads(line)
                try:
                    self.start(command["start"], command["argv"], command["env"], command["log"])
                except OSError as error:
                    self.report({"name": command["start"], "exit": 127, "error": str(error)})
            self.reap()

    def end(self) -> None:
        sweep(self.mark)
        self.reap()


def main() -> int:
    adopt_orphans()
    keeper = Keeper(sys.argv[1])

    def stop(*_: object) -> None:
        keeper.stopping = True

    signal.signal(signal.SIGTERM, stop)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    keeper.report({"name": "keeper", "ready": True})
    try:
        keeper.serve()
    finally:
        keeper.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
