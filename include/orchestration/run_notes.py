"""What a run says of itself in Airflow's UI when it is over."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from include.orchestration.airflow_api import from_connection

log = logging.getLogger(__name__)

_LISTED = 12


def rerun_note(loads: Sequence[Mapping[str, Any]], models: Sequence[str]) -> str:
    """What a rerun changed."""
    lines = [
        f"{one['batch_id']}: {one['rows_before']} rows before, {one['rows']} after, {one['keys']} keys" for one in loads
    ]
    more = f" and {len(models) - _LISTED} more" if len(models) > _LISTED else ""
    lines.append(f"{len(models)} models rebuilt: {', '.join(models[:_LISTED])}{more}" if models else "no model rebuilt")
    return "\n".join(lines)


def note_run(dag_id: str, run_id: str, note: str) -> None:
    """Put the note on the run where Airflow's API can be reached; in any case it is in this task's log."""
    log.info("%s", note)
    api = from_connection()
    if api is not None:
        api.note_run(dag_id, run_id, note)
