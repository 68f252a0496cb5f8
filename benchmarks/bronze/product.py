"""The product's own way from replies to tables, in a data folder of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from include.bronze.batch import Batch, Window
from include.bronze.extract import Extraction
from include.bronze.landing import Manifest
from include.bronze.plan import PlannedBatch
from include.bronze.sources.pylon import Pylon
from include.bronze.steps import Bronze, Connection
from include.settings import load_settings

from benchmarks.bronze.replies import Replayed

CLIENT = "def"
DAY = Window(datetime(2026, 1, 4, 6, tzinfo=UTC), datetime(2026, 1, 5, 6, tzinfo=UTC))


def bronze(folder: Path) -> Bronze:
    """Bronze of the project's client, with its data in a folder."""
    settings = load_settings({"SUPPORT_DATA_DIR": str(folder)})
    return Bronze(settings, settings.client(CLIENT), lambda name: Connection(), "a benchmark")


def land(
    steps: Bronze, stream: str, replies: Iterable[bytes], parents: Sequence[str] | None = None, window: Window = DAY
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
    return extraction.extract(PlannedBatch(Batch(CLIENT, stream, window), found.spec.strategy), parents)


def load(steps: Bronze, manifest: Manifest) -> int:
    """Load what was landed: how many rows that were."""
    loaded, held = steps.load(manifest.stream, [manifest.batch_id], "benchmark")
    assert not held
    return loaded[0].rows
