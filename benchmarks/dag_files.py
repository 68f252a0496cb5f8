"""What do the DAG files cost: read once, and read again and again by an idle DAG processor?

All of them are read by Airflow's own `DagBag` in a process that has imported nothing before. Then the local stack
stands idle for two minutes, with API server and scheduler: counted is the processor time of the DAG processor and of
every process it forks. It reads each file once a minute, and at once when it was edited.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from pathlib import Path

import psutil

from benchmarks.harness import Figure, Options, Result, Series
from include.local.console import Console
from include.local.folder import Place, hold
from include.local.processes import PYTHON
from include.local.stack import Stack, free_port
from include.settings import REPO

READ = """
import json, time
started = time.perf_counter()
from airflow.dag_processing.dagbag import DagBag
imported = time.perf_counter()
bag = DagBag({folder!r})
assert not bag.import_errors, bag.import_errors
print(json.dumps({{"airflow": imported - started, "files": time.perf_counter() - imported, "dags": len(bag.dags)}}))
"""


def run(options: Options) -> Result:
    data = options.folder / "data"
    data.mkdir()
    place, console = Place(data), Console()
    with hold(place, "benchmarks") as lock, Stack(place, console, lock, port=free_port()) as stack:
        stack.prepare()
        stack.start()
        stack.wait_for_dags("core_reference", "def_support")
        readings = [_read(stack.env()) for _ in range(options.repeat + 1)][-options.repeat :]
        steady = _idle(stack, options.pick(120.0, 2.0))
        every = stack.env()["AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL"]
    files = [reading["files"] for reading in readings]
    return Result(
        figures=[
            Figure("full_parse", "reading all DAG files", round(statistics.median(files), 2), "s", "≤ 3"),
            Figure("steady", "an idle DAG processor, of one core", round(100 * steady, 1), "%", "≤ 5"),
        ],
        series=[
            Series("all DAG files, read by a fresh process", "s", files),
            Series("Airflow itself, imported by that process", "s", [reading["airflow"] for reading in readings]),
        ],
        inputs={"dags": int(readings[0]["dags"]), "seconds between two readings": int(every)},
    )


def _read(env: dict[str, str]) -> dict[str, float]:
    """All DAG files by a fresh process: seconds, and how many DAGs are in them."""
    done = subprocess.run(
        [PYTHON, "-c", READ.format(folder=str(REPO / "dags"))], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _idle(stack: Stack, seconds: float) -> float:
    """The share of a core that the DAG processor takes while nothing happens, with all it forks."""
    log = str(stack.processes.logs["dag-processor"])
    process = next(each for each in psutil.process_iter() if _writes_to(each, log))
    before, started = _cpu(process), time.monotonic()
    time.sleep(seconds)
    return (_cpu(process) - before) / (time.monotonic() - started)


def _writes_to(process: psutil.Process, log: str) -> bool:
    try:
        return str(Path(f"/proc/{process.pid}/fd/1").readlink()) == log
    except OSError:
        return False


def _cpu(process: psutil.Process) -> float:
    """Of a process and of what it forked and has waited for."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
