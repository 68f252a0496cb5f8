"""What is left when parts of a stack are killed: nothing. Real processes, small ones in Airflow's place."""

from __future__ import annotations

import json
import os
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
from include.local.folder import REPO, Place, StackError, hold
from include.local.processes import Processes

pytestmark = pytest.mark.integration

# Like Airflow: a service that ignores SIGTERM and runs a task in a session of its own, which starts a process too.
STUBBORN_SERVICE = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "a").write("up\\n")
time.sleep(600)
"""

MASTER = """
import os, sys, time
from pathlib import Path
from include.local.folder import Place, hold
from include.local.processes import Processes
place = Place(Path(sys.argv[1]))
with hold(place, "make run") as lock:
    processes = Processes(place, lock)
    for name in ("one", "two"):
        processes.start(name, [sys.executable, "-c", sys.argv[2], str(place.data / "up")], dict(os.environ))
    print(processes._keeper.pid, flush=True)
    try:
        while True:
            processes.check("one", "two")
            time.sleep(0.05)
    finally:
        processes.stop()
"""


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@dataclass
class Running:
    """A master with its keeper and two services of three processes each."""

    master: subprocess.Popen[str]
    keeper: int
    place: Place

    def left(self) -> list[int]:
        return [process.pid for process in keeper.marked(str(self.place.data))]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    master = subprocess.Popen(
        [sys.executable, "-c", MASTER, str(tmp_path), STUBBORN_SERVICE],
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPO)},
    )
    assert master.stdout
    stack = Running(master, int(master.stdout.readline()), Place(tmp_path))
    up = tmp_path / "up"
    assert until(lambda: up.is_file() and up.read_text().count("up") == 4 and len(stack.left()) == 6)
    try:
        yield stack
    finally:
        for pid in (master.pid, stack.keeper):
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)
        master.communicate()
        keeper.sweep(str(tmp_path), grace=0)


def test_a_killed_master_leaves_nothing(running: Running) -> None:
    running.master.kill()

    assert until(lambda: not running.left() and not psutil.pid_exists(running.keeper))


def test_an_interrupted_master_ends_everything_before_it_ends_itself(running: Running) -> None:
    running.master.send_signal(signal.SIGINT)

    running.master.wait(timeout=20)
    assert running.left() == []


def test_a_killed_keeper_is_noticed_and_leaves_nothing(running: Running) -> None:
    os.kill(running.keeper, signal.SIGKILL)

    _, error = running.master.communicate(timeout=20)
    assert "keeper ended with exit code -9" in error
    assert running.left() == []


def test_a_folder_whose_master_was_killed_is_free_once_its_keeper_has_cleared_up(running: Running) -> None:
    running.master.kill()
    running.master.wait()

    with hold(running.place, "make run"):
        assert running.left() == []


def test_what_a_killed_master_and_a_killed_keeper_left_is_swept_by_the_next(running: Running) -> None:
    os.kill(running.keeper, signal.SIGKILL)
    running.master.kill()
    running.master.wait()
    assert running.left()  # the grandchildren are stubborn and nobody is there to end them

    with hold(running.place, "make run"):
        assert keeper.sweep(str(running.place.data), grace=0) > 0
    assert running.left() == []


def test_a_sweep_spares_the_processes_of_another_folder(running: Running, tmp_path: Path) -> None:
    assert keeper.sweep(str(tmp_path / "other"), grace=0) == 0
    assert len(running.left()) == 6


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    place = Place(tmp_path)
    with hold(place, "a test") as lock:
        started = Processes(place, lock)
        try:
            yield started
        finally:
            started.stop()


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_job_is_waited_for(processes: Processes) -> None:
    processes.start("job", python("print('done')"), os.environ)

    processes.wait("job", timeout=20)
    assert processes.logs["job"].read_text() == "done\n"


def test_a_failed_job_is_told_with_its_last_words_and_its_log(processes: Processes) -> None:
    processes.start("manifest", python("print('model x has no file'); exit(3)"), os.environ)

    with pytest.raises(StackError) as error:
        processes.wait("manifest", timeout=20)
    assert str(error.value).startswith("manifest failed with exit code 3. Its last lines:\n    model x has no file\n")
    assert str(processes.logs["manifest"]) in str(error.value)


def test_a_service_that_ends_is_told(processes: Processes) -> None:
    processes.start("scheduler", python("exit(1)"), os.environ)

    assert until(lambda: "scheduler" in processes.poll())
    with pytest.raises(StackError, match="scheduler ended with exit code 1"):
        processes.check("scheduler")


def test_a_program_that_does_not_exist_is_told(processes: Processes) -> None:
    processes.start("scheduler", ["/nonexistent/airflow"], os.environ)

    with pytest.raises(StackError, match="scheduler failed with exit code 127"):
        processes.wait("scheduler", timeout=20)


def test_the_mark_survives_a_process_that_changes_its_title(processes: Processes, tmp_path: Path) -> None:
    code = "import setproctitle, time; setproctitle.setproctitle('air' 'flow ' * 5000); time.sleep(600)"
    processes.start("worker", python(code), os.environ)

    def titled() -> bool:
        return any("airflow " in " ".join(p.cmdline()) for p in keeper.marked(str(tmp_path)))

    assert until(titled)


def test_the_previous_log_is_kept_beside_the_new_one(processes: Processes) -> None:
    for word in ("first", "second"):
        processes.start("job", python(f"print('{word}')"), os.environ)
        processes.wait("job", timeout=20)

    log = processes.logs["job"]
    assert (log.with_suffix(".previous.log").read_text(), log.read_text()) == ("first\n", "second\n")


def test_the_lock_file_names_the_holder(processes: Processes, tmp_path: Path) -> None:
    assert json.loads((tmp_path / "stack.lock").read_text())["pid"] == os.getpid()
