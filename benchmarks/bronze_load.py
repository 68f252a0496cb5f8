"""How fast 100,000 issues are landed and loaded, beside dlt and beside the barest loop that does the same.

The issues are those of the simulated company with longer bodies and more fields of their own, about 7 KB of JSON each.
They lie in files, one reply of 999 in each, so that no network is measured. The product reads them through its own
client, lands them as Parquet with all six metadata columns and a manifest, checks the parts, and loads them in one
transaction with the ledger. The bare loop parses each reply (msgspec), hashes each row (sha256), writes Parquet by
pyarrow's defaults and lets DuckDB read it into a table, with the row groups that DuckDB makes by itself, which for rows
this wide cost it more than the loader's small ones; it keeps no promise. dlt merges by primary key with nesting off,
given lists of parsed records (orjson) and larger buffers, once as it comes (insert statements) and once by Parquet, the
faster of its formats. Each contender begins with an empty database in each round. The product and the bare loop meet at
the full size. dlt takes so long that it is run on a fifth of the issues, beside the product on the same ones.
Interpreter start and imports are not counted. Both sides of each ratio are bound by the processors, so ratios are of
CPU seconds, and those of the clock are given beside them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bronze import product, replies
from benchmarks.harness import PEERS, Figure, Options, Result, Series, Taken, apart, in_turn, ratios, taken
from include.settings import REPO

ISSUES, QUICK_ISSUES = 100_000, 1_000
DLT_ISSUES, QUICK_DLT_ISSUES = 20_000, 1_000
STREAM = "pylon_issues"
# As many as the product puts into a part, so that Parquet is written in pieces of like size.
BARE_PAGES = 20
FORMATS = {"dlt as it comes": "insert_values", "dlt by Parquet": "parquet"}


def by_product(pages: Sequence[Path], folder: Path) -> None:
    """Landing and loading as a night does it."""
    steps = product.bronze(folder)
    manifest = product.land(steps, STREAM, replies.files(pages))
    assert product.load(steps, STREAM).rows == manifest.rows


def by_bare_loop(pages: Sequence[Path], folder: Path) -> None:
    """Parse, hash, write, read."""
    folder.mkdir()
    files: list[str] = []
    for number in range(0, len(pages), BARE_PAGES):
        rows = [row for page in pages[number : number + BARE_PAGES] for row in _bare_rows(page)]
        files.append(str(folder / f"{number}.parquet"))
        pq.write_table(pa.Table.from_pylist(rows), files[-1])
    with duckdb.connect(str(folder / "bare.duckdb")) as connection:
        connection.execute("create table issues as select * from read_parquet(?, union_by_name = true)", [files])


def _bare_rows(page: Path) -> Iterator[dict[str, Any]]:
    for record in msgspec.json.decode(page.read_bytes())["data"]:
        row = {name: value if isinstance(value, str) else _text(value) for name, value in record.items()}
        yield row | {"hash": hashlib.sha256(msgspec.json.encode(record)).hexdigest()}


def _text(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def by_dlt(pages: Path, folder: Path, format_: str) -> dict[str, Any]:
    """What dlt says it took, in a process and an environment of its own."""
    command = [str(PEERS), str(REPO / "benchmarks" / "peers" / "load_by_dlt.py"), str(pages), str(folder), format_]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"dlt could not load: {done.stderr}")
    shutil.rmtree(folder)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def run(options: Options) -> Result:
    """Against the bare loop, then against dlt."""
    count, dlt_count = options.pick(ISSUES, QUICK_ISSUES), options.pick(DLT_ISSUES, QUICK_DLT_ISSUES)
    pages = replies.issue_pages(options.folder / "pages", count)
    size = sum(page.stat().st_size for page in pages)
    fewer = replies.issue_pages(options.folder / "fewer", dlt_count)
    places = (options.folder / f"place-{number}" for number in itertools.count())

    def anew(work: Callable[[Sequence[Path], Path], None], of: Sequence[Path]) -> Callable[[], None]:
        def once() -> None:
            place = next(places)
            work(of, place)
            shutil.rmtree(place)

        return once

    both = in_turn({"product": anew(by_product, pages), "bare loop": anew(by_bare_loop, pages)}, options.repeat)
    memory = {
        name: apart(work, pages, next(places))[1].peak_mb
        for name, work in {"product": by_product, "bare loop": by_bare_loop}.items()
    }
    ours: list[Taken] = []
    theirs: dict[str, list[dict[str, Any]]] = {name: [] for name in FORMATS}
    for _ in range(options.repeat):
        ours.append(taken(anew(by_product, fewer)))
        for name, format_ in FORMATS.items():
            theirs[name].append(_dlt(fewer[0].parent, next(places), format_, dlt_count))
    by_default, by_parquet = FORMATS

    def times(name: str, attribute: str) -> float:
        pairs: list[float] = [
            their[attribute] / our for our, their in zip(_of(ours, attribute), theirs[name], strict=True)
        ]
        return statistics.median(pairs)

    product_, bare = both["product"], both["bare loop"]
    rate = "the product's rows per second by those of"
    figures = [
        Figure("rows_per_second", "the product, on the clock", count / statistics.median(_of(product_)), "rows/s"),
        Figure("bare_loop", f"{rate} the bare loop, CPU", statistics.median(ratios(bare, product_)), "times", "≥ 0.8"),
        Figure(
            "bare_loop_clock", "the same, on the clock", statistics.median(ratios(bare, product_, "seconds")), "times"
        ),
        Figure("dlt", f"{rate} {by_default}, {dlt_count:,} issues, CPU", times(by_default, "cpu"), "times", "≥ 10"),
        Figure("dlt_clock", "the same, on the clock", times(by_default, "seconds"), "times"),
        Figure("dlt_parquet", f"{rate} {by_parquet}, {dlt_count:,} issues, CPU", times(by_parquet, "cpu"), "times"),
        Figure("dlt_parquet_clock", "the same, on the clock", times(by_parquet, "seconds"), "times"),
        *(
            Figure(f"memory_{name.replace(' ', '_')}", f"memory at most, {name}", mb, "MB")
            for name, mb in memory.items()
        ),
    ]
    series = [
        Series(f"{name}, {count:,} issues, {label}", "s", _of(took, attribute))
        for name, took in both.items()
        for attribute, label in (("seconds", "clock"), ("cpu", "CPU"))
    ]
    series += [
        Series(f"product, {dlt_count:,} issues, {label}", "s", _of(ours, attribute))
        for attribute, label in (("seconds", "clock"), ("cpu", "CPU"))
    ]
    series += [
        Series(f"{name}, {dlt_count:,} issues, {label}", "s", [each[attribute] for each in took])
        for name, took in theirs.items()
        for attribute, label in (("seconds", "clock"), ("cpu", "CPU"))
    ]
    inputs = {"issues": count, "bytes per issue": round(size / count), "issues for dlt": dlt_count}
    return Result(figures, series, inputs=inputs, versions=theirs[by_default][0]["versions"])


def _dlt(pages: Path, place: Path, format_: str, count: int) -> dict[str, Any]:
    place.mkdir()
    said = by_dlt(pages, place, format_)
    assert said["rows"] == count
    return said


def _of(took: Sequence[Taken], attribute: str = "seconds") -> list[float]:
    return [getattr(each, attribute) for each in took]
