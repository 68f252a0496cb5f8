"""Bronze by hand: the same steps a night runs, from a plain shell.

    python -m include.bronze streams
    python -m include.bronze plan --client def
    python -m include.bronze extract --client def --stream pylon_issues
    python -m include.bronze load --client def --stream pylon_issues
    python -m include.bronze replay def__pylon_issues__20260104T060000Z__20260105T060000Z
    python -m include.bronze reextract def__pylon_issues__20260104T060000Z__20260105T060000Z
    python -m include.bronze deletions --client def
    python -m include.bronze status --client def
    python -m include.bronze attempts --client def --stream pylon_issues
    python -m include.bronze verify --client def
    python -m include.bronze approve def__pylon_tags__20260104T060000Z__20260105T060000Z
    python -m include.bronze expire --client def --days 30 --dry-run

Vendor tokens come from the environment: PYLON_DEF_TOKEN, or AIRFLOW_CONN_PYLON_DEF as Airflow writes it.
"""

from __future__ import annotations

import argparse
import getpass
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from include.bronze.batch import Batch
from include.bronze.landing import LandingError
from include.bronze.retention import KEEP, expire, expired
from include.bronze.sources.http import RefusedError, SourceError
from include.bronze.steps import Bronze, Held, connection_from_environment
from include.bronze.streams import Cadence
from include.bronze.verify import verify
from include.bronze.warehouses import Loaded, WarehouseError
from include.bronze.warehouses.lock import LockedError
from include.settings import ConfigurationError, Settings, load_settings

FAILED, MISCONFIGURED = 1, 2


class Progress:
    """What is going on: one line that is written over on a terminal, a line every few seconds elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._said = 0.0

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if self._terminal:
            print(f"\r\033[K{text[:118]}", end="", file=sys.stderr, flush=True)
        elif now - self._said >= 5:
            print(text, file=sys.stderr, flush=True)
            self._said = now

    def done(self) -> None:
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        "python -m include.bronze", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def add(verb: str, text: str, *arguments: str) -> None:
        one = verbs.add_parser(verb, help=text, description=text)
        for argument in arguments:
            if argument == "batch_id":
                one.add_argument("batch_id", metavar="BATCH_ID", help="client__stream__start__end")
            else:
                one.add_argument(f"--{argument}", **_OPTIONS[argument])  # type: ignore[arg-type]

    add("streams", "list every stream a client loads", "client")
    add("plan", "list the batches that are not loaded yet", "client", "stream", "until", "weekly")
    add("extract", "read what is planned into landing", "client", "stream", "until", "weekly")
    add("load", "load what is landed and not loaded yet", "client", "stream", "until", "weekly")
    add("replay", "load a landed batch again as it was loaded, without asking the vendor", "batch_id")
    add("reextract", "ask the vendor for a batch again, and load what comes unless the batch would shrink", *_AGAIN)
    add("deletions", "list every id, look up what is missing or changed, and load the answers", "client")
    add("status", "show what is loaded, per stream", "client")
    add("attempts", "show what was tried, newest first: what failed, and why", "client", "stream")
    add("verify", "hold landing, ledger and tables against each other", "client")
    add("approve", "let a batch be applied that was held back, and load it", "batch_id")
    add("expire", "remove landed attempts that nothing will read again", "client", "days", "dry-run")
    return top


_AGAIN = ("batch_id", "allow-shrink")


_OPTIONS: dict[str, dict[str, object]] = {
    "client": {"default": "def", "help": "the client's code (default: def)"},
    "stream": {"default": None, "help": "one stream, such as pylon_issues (default: all)"},
    "until": {"type": datetime.fromisoformat, "default": None, "help": "load up to this instant (default: now)"},
    "allow-shrink": {"action": "store_true", "help": "load it also if it lacks records that the batch holds now"},
    "days": {"type": int, "default": KEEP.days, "help": f"what is younger stays (default: {KEEP.days})"},
    "dry-run": {"action": "store_true", "help": "say what would be removed, and remove nothing"},
    "weekly": {"action": "store_true", "help": "the streams that are read weekly instead of nightly"},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one verb. 0 done, 1 something could not be done, 2 something is configured wrongly."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    options = parser().parse_args(arguments)
    progress = Progress()
    try:
        current = load_settings()
        return VERBS[options.verb](current, options, progress)
    except (ConfigurationError, RefusedError) as error:
        progress.done()
        print(f"configuration: {error}", file=sys.stderr)
        return MISCONFIGURED
    except ValueError as error:
        progress.done()
        print(str(error), file=sys.stderr)
        return MISCONFIGURED
    except (SourceError, LandingError, WarehouseError, LockedError, OSError) as error:
        progress.done()
        print(f"failed: {error}", file=sys.stderr)
        return FAILED


def _bronze(current: Settings, client: str) -> Bronze:
    holder = f"python -m include.bronze by {getpass.getuser()}"
    return Bronze(current, current.client(client), connection_from_environment, holder)


def _streams(current: Settings, options: argparse.Namespace, _: Progress) -> int:
    rows = [
        (s.name, s.table, str(s.spec.strategy), str(s.spec.coverage), str(s.spec.cadence), s.spec.description)
        for s in current.client(options.client).streams
    ]
    _table(("stream", "table", "strategy", "coverage", "read", "what it is"), rows)
    return 0


def _plan(current: Settings, options: argparse.Namespace, _: Progress) -> int:
    plans = _planned(_bronze(current, options.client), options)
    rows = [(stream, item["batch_id"], item["strategy"]) for stream, items in plans.items() for item in items]
    _table(("stream", "batch", "strategy"), rows)
    return 0


def _extract(current: Settings, options: argparse.Namespace, progress: Progress) -> int:
    bronze = _bronze(current, options.client)
    run_id = _run_id()
    for stream, planned in _planned(bronze, options).items():
        landed = bronze.extract(stream, planned, run_id, progress=progress)
        progress.done()
        print(f"{stream}: {len(landed)} of {len(planned)} batches landed")
    return 0


def _load(current: Settings, options: argparse.Namespace, _: Progress) -> int:
    bronze = _bronze(current, options.client)
    code = 0
    for stream, planned in _planned(bronze, options).items():
        landed = [i["batch_id"] for i in planned if bronze.landing.attempts(Batch.parse(i["batch_id"]))]
        loaded, held = bronze.load(stream, landed, _run_id())
        print(f"{stream}: {len(loaded)} batches loaded, {sum(one.rows for one in loaded)} rows")
        code = max(code, _said((), held))
        bronze.record_attempts(item["batch_id"] for item in planned)
    return code


def _replay(current: Settings, options: argparse.Namespace, _: Progress) -> int:
    batch = Batch.parse(options.batch_id)
    return _said(*_bronze(current, batch.client).replay(batch.id, _run_id()))


def _said(loaded: Sequence[Loaded], held: Sequence[Held]) -> int:
    for one in loaded:
        print(f"{one.batch_id}: {one.rows} rows (before: {one.rows_before})")
    for waiting in held:
        print(f"held: {waiting.reason}", file=sys.stderr)
    return FAILED if held else 0


def _reextract(current: Settings, options: argparse.Namespace, progress: Progress) -> int:
    batch = Batch.parse(options.batch_id)
    bronze = _bronze(current, batch.client)
    bronze.extract_again(batch.id, _run_id(), progress=progress)
    progress.done()
    if options.allow_shrink:
        bronze.landing.approve(bronze.landing.newest(batch))
    return _said(*bronze.load(batch.stream, [batch.id], _run_id()))


def _deletions(current: Settings, options: argparse.Namespace, progress: Progress) -> int:
    bronze = _bronze(current, options.client)
    run_id = _run_id()
    for stream in (stream for stream in bronze.client.streams if stream.spec.lists):
        planned = bronze.plan(bronze.settings.now(), cadence=stream.spec.cadence, only=stream.name)[stream.name]
        bronze.load(stream.name, bronze.extract(stream.name, planned, run_id, progress=progress), run_id)
    found = bronze.find_deletions(run_id)
    progress.done()
    if not found:
        print("every record is where it was")
    return max((_said(*news) for news in found.values()), default=0)


def _attempts(current: Settings, options: argparse.Namespace, _: Progress) -> int:
    bronze = _bronze(current, options.client)
    names = [options.stream] if options.stream else [stream.name for stream in bronze.client.streams]
    tried = [
        attempt
        for name in names
        for batch in bronze.landing.batches(bronze.client.code, bronze.client.stream(name).name)
        for attempt in bronze.landing.tried(batch)
    ]
    rows = [
        (f"{one.started_at:%Y-%m-%d %H:%M:%S}", one.batch_id, str(one.outcome), f"{one.rows:,}", one.error or "")
        for one in sorted(tried, key=lambda attempt: attempt.started_at, reverse=True)
    ]
    _table(("began (UTC)", "batch", "outcome", "rows", "why"), rows)
    return 0


def _expire(current: Settings, options: argparse.Namespace, _: Progress) -> int:
    bronze = _bronze(current, options.client)
    older_than = timedelta(days=options.days)
    found = list(expired(bronze, older_than)) if options.dry_run else expire(bronze, older_than)
    _table(
        ("batch", "attempt", "bytes", "why"), [(o.batch_id, o.folder[-27:], f"{o.bytes:,}", o.reason) for o in found]
    )
    done = "would be removed" if options.dry_run else "removed"
    print(f"{len(found)} attempts {done}, {sum(one.bytes for one in found):,} bytes")
    return 0


def _status(current: Settings, options: argparse.Namespace, _: Progress) -> int:
    bronze = _bronze(current, options.client)
    with bronze.warehouse() as warehouse:
        ledger = warehouse.ledger()
    rows = []
    for stream in bronze.client.streams:
        mine = [row for row in ledger if row.stream == stream.name]
        last = max((row.window.end for row in mine), default=None)
        loaded = max((row.loaded_at for row in mine), default="never")
        counted = f"{sum(row.rows for row in mine):,}"
        rows.append((stream.name, str(len(mine)), counted, f"{last:%Y-%m-%d %H:%M}" if last else "-", loaded))
    _table(("stream", "batches", "rows", "covered to (UTC)", "last loaded (UTC)"), rows)
    return 0


def _verify(current: Settings, options: argparse.Namespace, _: Progress) -> int:
    faults = verify(_bronze(current, options.client))
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(faults)} faults" if faults else "landing, ledger and tables agree")
    return FAILED if faults else 0


def _approve(current: Settings, options: argparse.Namespace, _: Progress) -> int:
    batch = Batch.parse(options.batch_id)
    bronze = _bronze(current, batch.client)
    landing = bronze.landing
    landing.approve(landing.newest(batch))
    return _said(*bronze.load(batch.stream, [batch.id], _run_id()))


def _run_id() -> str:
    return f"cli__{datetime.now(UTC):%Y%m%dT%H%M%SZ}__{os.getpid()}"


def _planned(bronze: Bronze, options: argparse.Namespace) -> dict[str, list[dict[str, str]]]:
    until = options.until or bronze.settings.now()
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    only = getattr(options, "stream", None)
    if only is None:
        return bronze.plan(until, cadence=Cadence.WEEKLY if options.weekly else Cadence.NIGHTLY)
    return bronze.plan(until, cadence=bronze.client.stream(only).spec.cadence, only=only)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    for row in (header, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


VERBS: dict[str, Callable[[Settings, argparse.Namespace, Progress], int]] = {
    "streams": _streams,
    "plan": _plan,
    "extract": _extract,
    "load": _load,
    "replay": _replay,
    "reextract": _reextract,
    "deletions": _deletions,
    "status": _status,
    "attempts": _attempts,
    "verify": _verify,
    "approve": _approve,
    "expire": _expire,
}

if __name__ == "__main__":
    sys.exit(main())
