"""How fast the simulated vendors answer, and in how much memory: 100 pages of 999 issues of the large world.

The server runs in a process of its own with every issue rendered before, without rate limits. A client that only
downloads, over one connection, reads 100 pages of 999 through `POST /issues/search`, from the newest issue on, and
follows the cursors. The pages of a second are on the clock; the server's CPU is what its process used meanwhile. Memory
is the most that the server's process has had from its start, rendering and all rounds, Python with it.
"""

from __future__ import annotations

import json
import statistics

from benchmarks.bronze.vendors import Downloader, served
from benchmarks.harness import Figure, Options, Result, Series, taken

PAGES, QUICK_PAGES = 100, 2
ROWS = 999
MEMORY_MB = 500


def scan(client: Downloader, pages: int) -> int:
    """Read that many pages: how many bytes they were."""
    size, cursor = 0, ""
    for _ in range(pages):
        asked = {"limit": ROWS} | ({"cursor": cursor} if cursor else {})
        reply = client.download("POST", "/issues/search", json.dumps(asked).encode())
        size += len(reply)
        cursor = next_cursor(reply)
    return size


def next_cursor(reply: bytes) -> str:
    """The cursor at the end of a reply, empty on the last page."""
    begin = reply.rfind(b'"pagination":')
    found: str = json.loads(b"{" + reply[begin:])["pagination"]["cursor"] if begin > 0 else ""
    return found


def run(options: Options) -> Result:
    """Some rounds against one server."""
    pages = options.pick(PAGES, QUICK_PAGES)
    world = options.pick("large", "small")
    with served(options.folder / "vendors", world, "--limits", "off", "--warm") as vendors:
        with Downloader(vendors.pylon) as client:
            size = scan(client, pages)
            seconds, cpu = [], []
            for _ in range(options.repeat):
                before = vendors.cpu
                seconds.append(taken(lambda: scan(client, pages)).seconds)
                cpu.append(vendors.cpu - before)
        peak = vendors.peak_mb
    figures = [
        Figure("pages_per_second", "pages of a second, clock", pages / statistics.median(seconds), "pages/s"),
        Figure("server_cpu", "CPU of the server for all of them", statistics.median(cpu), "s"),
        Figure("memory", "memory of the server at most", peak, "MB", f"≤ {MEMORY_MB}"),
    ]
    series = [Series("a scan, clock", "s", seconds), Series("a scan, CPU of the server", "s", cpu)]
    return Result(figures, series, inputs={"world": world, "pages": pages, "rows of a page": ROWS, "bytes": size})
