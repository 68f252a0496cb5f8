"""The last step of a run: publish what it built."""

from __future__ import annotations

import logging

from include.bronze.warehouses.lock import warehouse_lock
from include.settings import settings

log = logging.getLogger(__name__)


def publish_marts(holder: str) -> dict[str, int]:
    """Publish the marts of every client. Says how many rows each relation has."""
    # Imported where it is needed: this module is imported whenever a DAG file is parsed.
    from include.serving.publish import publish
    from include.serving.share import share

    current = settings()
    if not current.target.is_embedded:
        log.info("on %s readers query the warehouse itself; nothing is published", current.target)
        return {}
    databases = {current.database(code): current.database_file(code) for code in current.clients}
    with warehouse_lock(current.warehouse_dir, holder):
        relations = publish(databases, current.published_copy)
    log.info("published %d relations to %s", len(relations), current.published_copy)
    if current.serving_url:
        log.info("shared as %s", share(current.published_copy, current.serving_url))
    return {relation.name: relation.rows for relation in relations}
