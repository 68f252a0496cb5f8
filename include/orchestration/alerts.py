"""What is said when a task fails for good or a run is late: what, of which batch, why most likely, where, what to do.

It is said in the log and on the note of the run, which needs no account anywhere. Where Airflow has a connection
`support_alerts`, it is posted there as well: its host is the whole address, its password, if there is one, the token.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import requests
from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert
from airflow.sdk.exceptions import AirflowNotFoundException

from include.bronze.batch import Batch
from include.orchestration.airflow_api import from_connection, retrying
from include.orchestration.deadline import RunAskedFor

log = logging.getLogger(__name__)

WEBHOOK = "support_alerts"
OWNER = "support-analytics"  # of what belongs to no client
TIMEOUT = (5.0, 10.0)
_LISTED = 3
_LONGEST = 220

FORM_ERROR = "FormError"

# By the name of what was raised, or of what that is a kind of; the first that fits.
CAUSES: Mapping[str, str] = {
    "AirflowRefusedError": "Airflow's own API refuses the connection the build closes tasks with",
    "AirflowApiError": "Airflow's own API does not answer as it should; its server may be down or overloaded",
    "RefusedError": "the vendor refuses the token, or it lacks a permission",
    "UnansweredError": "the vendor did not answer, after all tries",
    "MissingFileError": "the file of this night was not dropped",
    "SourceError": "the vendor answered something unexpected",
    "HeldError": "the batch would lose records and waits for a person",
    "LockedError": "something else holds the warehouse",
    FORM_ERROR: "what the form was filled in with makes no sense; the message names the field",
    "LandingError": "what is landed of the batch is missing or damaged",
    "ConfigurationError": "a setting is wrong; the message names it",
    "PublishError": "the copy differs from the warehouse; the last one stays in place",
    "CosmosDbtRunError": "a model's SQL failed, or a test found rows that break its rule",
    "DbtError": "a model's SQL failed, or a test found rows that break its rule",
    "AirflowTaskTimeout": "it took longer than it may",
}
UNKNOWN = "nothing that is known; the log says more"


@dataclass(frozen=True)
class Alert:
    """One thing to tell people."""

    what: str
    message: str
    batches: tuple[str, ...]
    cause: str
    link: str
    remedy: str

    @property
    def text(self) -> str:
        """All of it, in a few lines."""
        listed = ", ".join(self.batches[:_LISTED]) + (" …" if len(self.batches) > _LISTED else "")
        lines = [
            f"{self.what}: {self.message}" if self.message else self.what,
            f"batches: {listed}" if listed else "",
            f"likely: {self.cause}",
            f"to do: {self.remedy}",
            self.link,
        ]
        return "\n".join(line for line in lines if line)


class FailureNotifier(BaseNotifier):
    """Tells of a task that has failed and will not be tried again."""

    def notify(self, context: Any) -> None:
        """Tell of it everywhere it can be told."""
        tell(failure(context), context["dag_run"].dag_id, context["dag_run"].run_id)


def failure(context: Mapping[str, Any]) -> Alert:
    """What is to be said of a failed task."""
    ti, task, error = context["ti"], context.get("task"), context.get("exception")
    batches = batches_in([getattr(task, "op_args", None), getattr(task, "op_kwargs", None)])
    interval = ""
    if not batches and (end := getattr(context["dag_run"], "data_interval_end", None)):
        interval = f", the night to {end:%Y-%m-%d %H:%M} UTC"
    return Alert(
        what=f"{ti.task_id} of {ti.dag_id} failed (try {ti.try_number}{interval})",
        message=_first_line(error),
        batches=tuple(batches),
        cause=likely_cause(error),
        link=str(getattr(ti, "log_url", "")),
        remedy=remedy(ti.task_id, batches, error),
    )


def task_defaults(
    owner: str = OWNER, *, retries: int = 2, retry_delay: timedelta = timedelta(seconds=30)
) -> dict[str, Any]:
    """What every task of a DAG has: who answers for it, how often it is tried again, who hears when it failed."""
    return {
        "owner": owner,
        "retries": retries,
        "retry_delay": retry_delay,
        "on_failure_callback": FailureNotifier(),
    }


def tell_of_held(loads: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]], context: Mapping[str, Any]) -> None:
    """Tell of the batches that a load left for a person to decide. Nothing failed, so nobody would look."""
    for held in (batch for stream in loads.values() for batch in stream["held"]):
        batch_id = held["batch_id"]
        alert = Alert(
            what=f"{batch_id} was not loaded",
            message=held["reason"],
            batches=(batch_id,),
            cause=CAUSES["HeldError"],
            link=str(getattr(context["ti"], "log_url", "")),
            remedy=f"if it is right, `python -m include.bronze approve {batch_id}`; the rest of the night goes on",
        )
        tell(alert, context["dag_run"].dag_id, context["dag_run"].run_id)


def ended_within(hours: float) -> DeadlineAlert:
    """A deadline for the runs of a DAG, counted from when one is asked for. It needs no triggerer."""
    return DeadlineAlert(
        reference=RunAskedFor(),
        interval=timedelta(hours=hours),
        callback=SyncCallback(deadline_missed, {"hours": hours}),
        name=f"ended within {hours:g} h",
    )


def deadline_missed(context: Mapping[str, Any], hours: float) -> None:
    """Called by Airflow when a run has not ended in time. It goes on."""
    run = context["dag_run"]
    tell(late(run["dag_id"], run["dag_run_id"], hours), run["dag_id"], run["dag_run_id"])


def late(dag_id: str, run_id: str, hours: float) -> Alert:
    """What is to be said of a run that has not ended in time."""
    return Alert(
        what=f"{run_id} of {dag_id} has missed its deadline of {hours:g} h and is still under way",
        message="",
        batches=(),
        cause="a vendor is slow, a task waits for another that holds the warehouse, or there is much to catch up on",
        link="",
        remedy="see in the grid what is running; its log says what it waits for",
    )


def likely_cause(error: object) -> str:
    """Why something failed, as far as what was raised tells."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    cause: object = error
    while (cause := getattr(cause, "__cause__", None)) is not None:
        kinds += [kind.__name__ for kind in type(cause).__mro__]
    return next((CAUSES[kind] for kind in kinds if kind in CAUSES), UNKNOWN)


def remedy(task_id: str, batches: Sequence[str], error: object = None) -> str:
    """How to go on, once the cause is dealt with."""
    if type(error).__name__ == FORM_ERROR:
        return "trigger the DAG again with the form corrected; a cleared task reads the same form"
    if task_id.startswith("dbt."):
        return "clear the task with what is downstream; several at once are quicker together with build"
    if len(batches) == 1:
        return f"clear the task, or trigger rerun_batch with {batches[0]}"
    return "clear the task; what comes after it runs with it"


def batches_in(value: object) -> list[str]:
    """The batch ids in what a task was called with, each once."""
    found: dict[str, None] = {}

    def look(at: object) -> None:
        if isinstance(at, str):
            if _is_batch(at):
                found[at] = None
        elif isinstance(at, Mapping):
            for each in at.values():
                look(each)
        elif isinstance(at, (list, tuple)):
            for each in at:
                look(each)

    look(value)
    return list(found)


def tell(alert: Alert, dag_id: str, run_id: str) -> None:
    """Say it in the log, on the run and at the webhook. What cannot be told there does not make matters worse."""
    log.error("%s", alert.text)
    _try("the run's note", lambda: _note(alert, dag_id, run_id))
    _try(f"connection {WEBHOOK}", lambda: _post(alert, dag_id, run_id))


def _try(where: str, action: Callable[[], None]) -> None:
    try:
        action()
    except Exception as error:
        # Only what it is: the address of a webhook is a secret, and such errors carry it.
        log.warning("this could not be told by %s (%s)", where, type(error).__name__)


def _note(alert: Alert, dag_id: str, run_id: str) -> None:
    api = from_connection()
    if api is not None:
        retrying(lambda: api.add_to_run_note(dag_id, run_id, alert.text))


def _post(alert: Alert, dag_id: str, run_id: str) -> None:
    try:
        connection = BaseHook.get_connection(WEBHOOK)
    except AirflowNotFoundException:
        return
    headers = {"Authorization": f"Bearer {connection.password}"} if connection.password else {}
    body = {"text": alert.text, "dag_id": dag_id, "run_id": run_id, **asdict(alert)}
    requests.post(connection.host or "", json=body, headers=headers, timeout=TIMEOUT).raise_for_status()


def _first_line(error: object) -> str:
    lines = str(error).strip().splitlines() if error is not None else []
    return lines[0][:_LONGEST] if lines else ""


def _is_batch(text: str) -> bool:
    try:
        Batch.parse(text)
    except ValueError:
        return False
    return True
