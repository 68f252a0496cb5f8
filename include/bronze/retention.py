"""What landing need not keep: attempts that nothing will ever read again.

The attempt a batch was loaded from always stays, so every batch can be replayed and verified, and no winning row and no
coverage is lost. So do attempts that wait for a person, or to be loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from include.bronze.landing import began
from include.bronze.steps import Bronze

KEEP = timedelta(days=30)


@dataclass(frozen=True)
class Expired:
    """An attempt that may go, and why."""

    batch_id: str
    folder: str
    bytes: int
    reason: str


def expired(bronze: Bronze, older_than: timedelta = KEEP) -> Iterator[Expired]:
    """Every attempt that is older than this and of no use."""
    landing = bronze.landing
    before = bronze.settings.reading_clock() - older_than
    with bronze.warehouse() as warehouse:
        ledger = warehouse.ledger()
    loaded = {row.batch_id: row.attempt for row in ledger}
    for stream in bronze.client.streams:
        reached = max((row.window.end for row in ledger if row.stream == stream.name), default=None)
        replaces = bronze.table(stream).replaces_everything
        for batch in landing.batches(bronze.client.code, stream.name):
            is_replaced = replaces and reached is not None and batch.window.end < reached
            for folder in landing.folders(batch):
                if began(folder) >= before:
                    continue
                reason = _reason(folder, loaded.get(batch.id), landing.is_complete(folder), is_replaced=is_replaced)
                if reason:
                    yield Expired(batch.id, folder, landing.size(folder), reason)


def _reason(folder: str, loaded: str | None, is_complete: bool, *, is_replaced: bool) -> str | None:
    if not is_complete:
        return "never completed"
    if loaded is None:
        return "a later delivery replaced it" if is_replaced else None
    return "a later attempt was loaded" if folder.rsplit("/", 1)[1] < loaded else None


def expire(bronze: Bronze, older_than: timedelta = KEEP) -> list[Expired]:
    """Remove every such attempt, and say which."""
    removed = list(expired(bronze, older_than))
    for one in removed:
        bronze.landing.remove(one.folder)
    return removed
