"""Where dbt's documentation lies, as one page."""

from __future__ import annotations

from pathlib import Path

from include.settings import settings


def docs_page() -> Path:
    """The page that the maintenance DAG writes and the Airflow UI shows."""
    return settings().serving_dir / "docs" / "index.html"
