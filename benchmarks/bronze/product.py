"""The product's own way from replies to tables, in a data folder of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.bronze.replies import Replayed
from include.bronze.batch import Batch, Window
from include.bronze.extract import Extraction
from include.bronze.landing import Manifest
from include.bronze.plan import PlannedBatch
from include.bronze.sources.pylon import Pylon
from include.bronze.steps import Bronze, Connection
from include.bronze.warehouses import Loaded
from include.settings import load_settings

CLIENT = "def"
DAY = Window(datetime(2026, 1, 4, 6, tzinfo=UTC), datetime(2026, 1, 5, 6, tzinfo=UTC))


def bronze(folder: Path) -> Bronze:
    """Bronze of the project's client, with its data in a folder."""
    settings = load_settings({"SUPPORT_DATA_DIR": str(folder)})
    return Bronze(settings, settings.client(CLIENT), lambda _: Connection(), "a benchmark")


def batch(stream: str, number: int = 0) -> Batch:
    """A batch of a stream: of one day, or of one so many days later."""
    by = timedelta(days=number)
    return Batch(CLIENT, stream, Window(DAY.start + by, DAY.end + by))


def land(
    steps: Bronze, stream: str, replies: Iterable[bytes], parents: Sequence[str] | None = None, number: int = 0
) -> Manifest:
    """Read replies into landing as one batch."""
    found = steps.client.stream(stream)
    extraction = Extraction(
        found.spec,
        Pylon(Replayed(replies)),
        steps.landing,
        "benchmark",
        found.source.overlap,
        steps.settings.reading_clock,
        progress=lambda _: None,
    )
    return extraction.extract(PlannedBatch(batch(stream, number), found.spec.strategy), parents)


def load(steps: Bronze, stream: str, number: int = 0) -> Loaded:
    """Load what was landed."""
    loaded, held = steps.load(stream, [batch(stream, number).id], "benchmark")
    assert not held
    return loaded[0]
