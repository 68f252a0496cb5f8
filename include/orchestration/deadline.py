"""From when a run's deadline is counted: from the moment somebody or the schedule asked for it.

Airflow's own way of saying so, `DAGRUN_QUEUED_AT`, makes it answer 500 to whoever clears a task of such a run
(apache/airflow issue 70368, open in 3.3.2). Airflow finds this one through the plugin in `plugins/deadlines.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk.definitions.deadline import BaseDeadlineReference


class RunAskedFor(BaseDeadlineReference):
    """Airflow evaluates it once, when it makes the run."""

    def _evaluate_with(self, **_: Any) -> datetime:
        return datetime.now(UTC)
