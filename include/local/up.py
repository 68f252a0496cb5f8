"""`make up`: Airflow's UI with everything registered, until Ctrl-C."""

from __future__ import annotations

import time
from typing import Any

from include.local.console import Console
from include.local.credentials import ADMIN
from include.local.folder import Place, Refused, StackError, hold, shown
from include.local.stack import Stack, port_is_taken
from include.settings import load_settings

FIRST_LOOK = 60.0


def port_number(text: str) -> int:
    """PORT as a number."""
    if not text.isascii() or not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise Refused(f"PORT is '{text}'; it must be a number from 1024 to 65535")
    return int(text)


def up(port: int) -> int:
    """Serve until interrupted."""
    configured = load_settings()
    place = Place(configured.data_dir)
    console = Console()
    with hold(place, "make up") as lock:
        if port_is_taken(port):
            raise Refused(
                f"port {port} on 127.0.0.1 is taken by another program; choose another: make up PORT={port + 1}"
            )
        console.line(
            console.style("support-medallion", "bold") + f"  target {configured.target}, data in {shown(place.data)}"
        )
        console.line()
        with Stack(place, console, lock, port=port, with_triggerer=True) as stack:
            stack.prepare()
            # A simulated clock stands still: nothing would be due by it, and the real one is not the vendors'.
            schedules = stack.vendors is None
            stack.start(schedules=schedules)
            dags = first_look(stack, console)
            for dag in dags:
                if dag["is_paused"]:
                    stack.api.call("PATCH", f"/dags/{dag['dag_id']}", {"is_paused": False})
            when = "by their schedules" if schedules else "when you trigger them; the simulated clock stands still"
            console.step("dags", f"{', '.join(d['dag_id'] for d in dags) or 'none'}; they run {when}")
            console.line()
            login = f"{ADMIN} / {stack.secrets.passwords[ADMIN]}"
            console.line(
                console.style(f"Ready: http://localhost:{port}", "good")
                + f" - log in as {login} - Ctrl-C stops everything"
            )
            while True:
                stack.processes.check(*stack.services, *(["simulators"] if stack.vendors else []))
                time.sleep(0.5)


def first_look(stack: Stack, console: Console) -> list[dict[str, Any]]:
    """Wait until the DAG files have been read, and name those that do not import; the UI shows them too."""
    deadline = time.monotonic() + FIRST_LOOK
    try:
        stack.wait_for_dags("core_reference", "def_support")
    except StackError as error:
        stack.processes.check(*stack.services)
        if time.monotonic() > deadline:
            raise
        console.step("dags", console.style(str(error), "bad"))
    dags: list[dict[str, Any]] = stack.api.call("GET", "/dags", limit=1000)["dags"]
    return dags
