import json
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from .driver import ROOT, TOKEN, served

pytestmark = pytest.mark.integration


def get(url: str, *, method: str = "GET", body: object = None) -> dict:
    reply = requests.request(method, url, headers={"authorization": f"Bearer {TOKEN}"}, json=body, timeout=10)
    reply.raise_for_status()
    return reply.json()


def test_it_says_where_it_is_keeps_its_clock_and_stops_cleanly(tmp_path):
    with served(tmp_path, "--size", "tiny", "--seed", "5") as (process, facts):
        ready = json.loads((tmp_path / "simulators" / "ready.json").read_text())
        assert ready == {**facts, "seed": 5, "pid": process.pid}
        assert get(f"{facts['plain']}/_sim/clock") == {"now": "2026-01-05T06:20:00Z"}
        get(f"{facts['pylon']}/_sim/clock", method="POST", body={"advance_seconds": 86_400})
        before = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert time.monotonic() - before < 2
        assert not (tmp_path / "simulators" / "ready.json").exists()
    with served(tmp_path, "--size", "tiny") as (_, facts):
        assert facts["clock"] == "2026-01-06T06:20:00Z"


def test_it_can_be_stopped_while_the_world_is_still_being_made(tmp_path):
    command = [sys.executable, "-m", "include.simulators", "serve", "--size", "large", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "making a large world" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_what_was_asked_can_be_read_and_cleared(tmp_path):
    with served(tmp_path, "--size", "tiny") as (_, facts):
        sent = {"limit": 3}
        rows = get(f"{facts['pylon']}/issues/search", method="POST", body=sent)["data"]
        assert len(rows) == 3
        (asked,) = get(f"{facts['plain']}/_sim/requests")["requests"]
        assert (asked["method"], asked["path"], asked["status"], asked["rows"], asked["body"]) == (
            *("POST", "/issues/search", 200, 3),
            sent,
        )
        assert get(f"{facts['pylon']}/_sim/requests?since=1") == {"requests": []}
        assert get(f"{facts['pylon']}/_sim/requests", method="DELETE") == {"requests": []}


def test_a_taken_port_is_explained_in_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [
                *(sys.executable, "-m", "include.simulators", "serve", "--size", "tiny"),
                *("--pylon-port", port, "--data-dir", str(tmp_path)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        f"simulators: port {port} on 127.0.0.1 cannot be used (Address already in use): choose another, or 0"
    ]
