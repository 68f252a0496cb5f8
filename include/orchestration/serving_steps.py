"""The last step of a run: publish what it built, and say so."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import DAG, task

from include.bronze.warehouses.lock import warehouse_lock
from include.orchestration import bronze_steps, marts
from include.orchestration.medallion import WAREHOUSE_POOL, holder
from include.settings import settings

log = logging.getLogger(__name__)


def publish_task(dag: DAG) -> Any:
    """Add the task `publish` to a DAG, which gives out an event of each mart's asset."""

    @task(pool=WAREHOUSE_POOL, outlets=marts.mart_assets(), dag=dag)
    def publish(**context: Any) -> dict[str, int]:
        """Put a fresh copy of the marts in the place of the last."""
        return publish_marts(context)

    return publish()


def publish_marts(context: Any) -> dict[str, int]:
    """Publish the marts of every client. Says how many rows each relation has, and each mart's asset says it too."""
    rows = _publish(holder(context))
    loaded = bronze_steps.loaded_by(context["run_id"], holder(context))
    marts.announce(context["outlet_events"], rows, loaded)
    return rows


def _publish(who: str) -> dict[str, int]:
    # Imported where it is needed: this module is imported whenever a DAG file is parsed.
    from include.serving.publish import publish
    from include.serving.share import share

    current = settings()
    if not current.target.is_embedded:
        log.info("on %s readers query the warehouse itself; nothing is published", current.target)
        return {}
    databases = {current.database(code): current.database_file(code) for code in current.clients}
    with warehouse_lock(current.warehouse_dir, who):
        relations = publish(databases, current.published_copy)
    log.info("published %d relations to %s", len(relations), current.published_copy)
    if current.serving_url:
        log.info("shared as %s", share(current.published_copy, current.serving_url))
    return {relation.name: relation.rows for relation in relations}
