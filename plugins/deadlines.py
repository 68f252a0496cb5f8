"""Tells Airflow of this project's own way to count a deadline."""

from __future__ import annotations

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin

from include.orchestration.deadline import RunAskedFor


class Deadlines(AirflowPlugin):
    """What the scheduler and the API server need to know to make a run of a DAG that has a deadline."""

    name = "support_deadlines"
    deadline_references: ClassVar[list[type]] = [RunAskedFor]
