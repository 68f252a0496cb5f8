"""`make run`: one night, or several, through a real Airflow from beginning to end, and a summary."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests

from include.bronze.steps import Bronze, connection_from_environment, snowflake_environment
from include.local.api import Airflow, ApiError
from include.local.console import Console, Stopwatch, counted, duration
from include.local.folder import Place, Refused, StackError, hold, shown
from include.local.follow import Outcome, explain, follow
from include.local.stack import Stack, free_port
from include.local.summary import StreamRows, dbt_sentence, phases, read_dbt, read_streams, stream_table
from include.settings import Settings, load_settings
from include.snowflake import Login

SHARED_DAG = "core_reference"
CLIENT_DAG = "def_support"
CLIENT = "def"
DAY = timedelta(days=1)
MOST_NIGHTS = 60
WARNINGS = 5  # named in the summary; the rest are counted


def number_of_nights(text: str) -> int:
    """NIGHTS as a number; 0 is the night the clock stands at."""
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_NIGHTS:
        raise Refused(f"NIGHTS is '{text}'; it must be a whole number from 1 to {MOST_NIGHTS}, or be left out")
    return int(text)


def free_logical_date(now: datetime, taken: list[datetime]) -> datetime:
    """A logical date for a run at `now`: each is used once per DAG, so a repetition takes the next free second.

    Airflow's timetable makes the data interval from it: the newest one complete at that moment. A second moves nothing.
    """
    candidate = now.replace(microsecond=0)
    while candidate in taken:
        candidate += timedelta(seconds=1)
    return candidate


def start_run(api: Airflow, dag_id: str, now: datetime) -> dict[str, Any]:
    """Ask Airflow for a run of the newest complete night at `now`."""
    taken = [datetime.fromisoformat(r["logical_date"]) for r in api.runs(dag_id) if r["logical_date"]]
    while True:
        logical_date = free_logical_date(now, taken)
        body = {"logical_date": logical_date.isoformat(), "dag_run_id": f"local__{logical_date:%Y-%m-%dT%H:%M:%SZ}"}
        try:
            run: dict[str, Any] = api.call("POST", f"/dags/{dag_id}/dagRuns", body)
        except ApiError as error:
            if error.status != 409:
                raise
            taken.append(logical_date)
        else:
            return run


def night_title(run: dict[str, Any], zone: str) -> str:
    """The night of a run as a person says it, in the client's own time."""
    start, end = (
        datetime.fromisoformat(run[key]).astimezone(ZoneInfo(zone))
        for key in ("data_interval_start", "data_interval_end")
    )
    return f"the night to {end:%a %d %b %Y %H:%M} (from {start:%d %b %H:%M}, {zone})"


def advance_clock(pylon_url: str, by: timedelta) -> datetime:
    """Move the simulated vendors' clock."""
    with requests.Session() as session:
        session.trust_env = False
        body = {"advance_seconds": int(by.total_seconds())}
        answer = session.post(f"{pylon_url}/_sim/clock", json=body, timeout=60)
    if not answer.ok:
        raise StackError(f"the simulators did not move their clock: {answer.status_code} {answer.text[:300]}")
    return datetime.fromisoformat(answer.json()["now"]).astimezone(UTC)


class Night:
    """One night: both DAGs, one after the other, and what came of them."""

    def __init__(self, stack: Stack, console: Console, configured: Settings) -> None:
        self.stack = stack
        self.console = console
        self.settings = configured
        self.outcomes: list[Outcome] = []

    def run(self, now: datetime) -> bool:
        """True when everything succeeded."""
        api = self.stack.api
        for dag_id in (SHARED_DAG, CLIENT_DAG):
            run = start_run(api, dag_id, now)
            if dag_id == CLIENT_DAG:
                self.console.step(dag_id, night_title(run, self.settings.client(CLIENT).timezone))
            outcome = follow(
                api, self.console, dag_id, run["dag_run_id"], lambda: self.stack.processes.check(*self.stack.services)
            )
            self.outcomes.append(outcome)
            good = outcome.state == "success"
            verdict = self.console.style("ok", "good") if good else self.console.style("failed", "bad")
            self.console.step(dag_id, f"{verdict}, {counted(len(outcome.tasks), 'task')}", outcome.seconds)
            if not good:
                explain(self.console, outcome, self.stack.place.logs)
                return False
        return True


def summarise(console: Console, configured: Settings, nights: list[Night], timings: dict[str, float]) -> None:
    """What a person wants to know at the end."""
    outcomes = [outcome for night in nights for outcome in night.outcomes]
    run_ids = [outcome.run_id for outcome in outcomes]
    if configured.target.is_snowflake:  # nothing is published there; the ledgers themselves are asked
        streams = [
            StreamRows(code, stream, *numbers)
            for code, client in configured.clients.items()
            for stream, numbers in sorted(
                Bronze(configured, client, connection_from_environment, "make run").totals(run_ids).items()
            )
        ]
    else:
        streams = read_streams(configured.published_copy, run_ids)
    console.line()
    console.line(console.style("  Summary", "bold"))
    console.line()
    for number, line in enumerate(stream_table(streams)):
        console.line("  " + (console.style(line, "dim") if number == 0 else line))
    if streams and not any(stream.new_batches for stream in streams):
        console.line("  Nothing new to extract: every night up to the clock had been loaded before.")
    console.line()
    for dag_id in (SHARED_DAG, CLIENT_DAG):
        for outcome in [o for o in outcomes if o.dag_id == dag_id][-1:]:
            results = read_dbt(configured.runs_dir / dag_id / outcome.run_id / "run_results.json")
            console.step(dag_id, dbt_sentence(results))
            for warning in results.warnings[:WARNINGS]:
                console.step("", console.style(f"warned: {warning}", "warn"))
            if len(results.warnings) > WARNINGS:
                console.step("", f"and {counted(len(results.warnings) - WARNINGS, 'more warning')}")
    console.step("took", phases(timings))
    console.line()


def where_things_are(console: Console, configured: Settings, place: Place, good: bool) -> None:
    if configured.target.is_embedded:
        console.step("published copy", shown(configured.published_copy))
    else:
        console.step("marts", ", ".join(f"{configured.database(code)}.GOLD" for code in configured.clients))
    console.step("landing", configured.landing if "://" in configured.landing else shown(Path(configured.landing)))
    console.step("logs", shown(place.logs))
    console.line()
    advice = [
        ("make up", "Airflow's UI on this data" if good else "the failed run in Airflow's UI"),
        ("make run NIGHTS=1", "the next night") if good else ("make run", "try again; what was loaded stays loaded"),
    ]
    if good and configured.target.is_embedded:
        advice.insert(0, ("make sql", "look at the marts"))
    for number, (command, what) in enumerate(advice):
        console.step("" if number else "next", f"{command:<24}{what}")


def run(nights: int) -> int:
    """Run the night the clock stands at, or the next `nights`. Returns the exit code."""
    configured = load_settings()
    place = Place(configured.data_dir)
    console = Console()
    total = Stopwatch()
    if not (configured.target.is_embedded or configured.target.is_snowflake):
        raise Refused(f"SUPPORT_TARGET is '{configured.target}', which Bronze cannot load; use local, ci, dev or prod")
    if configured.target.is_snowflake:
        Login.read({**os.environ, **snowflake_environment(connection_from_environment)})
    with hold(place, "make run") as lock:
        console.line(
            console.style("support-medallion", "bold") + f"  target {configured.target}, data in {shown(place.data)}"
        )
        console.line()
        with Stack(place, console, lock, port=free_port()) as stack:
            stack.prepare()
            if nights and not stack.vendors:
                raise Refused(
                    "NIGHTS moves the simulated vendors' clock, but real vendors are configured; leave it out"
                )
            stack.start(fail_unfinished=True)
            stack.wait_for_dags(SHARED_DAG, CLIENT_DAG)
            timings = {"start": total.seconds}
            done: list[Night] = []
            good = True
            for number in range(max(nights, 1)):
                if nights and stack.vendors:
                    advance_clock(stack.vendors.pylon_url, DAY)
                # The stack's clock, not this process's: with simulated vendors it is theirs.
                now = load_settings(stack.env()).now()
                night = Night(stack, console, configured)
                done.append(night)
                watch = Stopwatch()
                good = night.run(now)
                timings[f"night {number + 1}" if nights > 1 else "night"] = watch.seconds
                if not good:
                    break
        timings["in all"] = total.seconds
        if good:
            summarise(console, configured, done, timings)
        else:
            console.line()
            console.step("took", phases(timings))
        where_things_are(console, configured, place, good)
        if not good:
            console.line()
            console.line(
                console.style(f"  make run failed after {duration(total.seconds)}; the failed task is above.", "bad")
            )
    return 0 if good else 1
