"""Publishing: the marts of every client, copied into one DuckDB file that replaces the last one by a rename.

Dimensions, aggregates and the ledger become tables; the report views, and the old project's names for them, are made
again over them, so that what depends on the time of reading still does. A reader in the middle of a query keeps the
file it opened.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

log = logging.getLogger(__name__)

TABLES = ("dim_", "agg_")
VIEWS = ("rpt_", "exp_")
# Today's facts are tables and today's steps are nowhere: a view called so is a name of the project before this one.
OLD_NAMES = ("fct_", "int_")
LEDGER = ("INGEST_BATCHES", "INGEST_COVERAGE")
VERSIONS_KEPT = 3


class PublishError(RuntimeError):
    """The copy is not what the warehouse holds. The last one stays in place."""


@dataclass(frozen=True)
class Published:
    """One published relation."""

    name: str
    kind: str
    rows: int


def publish(databases: Mapping[str, Path], target: Path) -> list[Published]:
    """Copy the marts of each database and put the copy in the place of the last. Hold the warehouse lock."""
    target.parent.mkdir(parents=True, exist_ok=True)
    version = target.with_name(f"{target.stem}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.duckdb")
    partial = version.with_suffix(".partial")
    try:
        relations = _copy(databases, partial)
        partial.rename(version)
    finally:
        partial.unlink(missing_ok=True)
        partial.with_suffix(".partial.wal").unlink(missing_ok=True)
    _point_at(target, version)
    _forget_old(target)
    return relations


def _copy(databases: Mapping[str, Path], file: Path) -> list[Published]:
    with duckdb.connect(str(file)) as copy:
        copy.execute("set timezone = 'UTC'")
        present = {name: path for name, path in databases.items() if path.exists()}
        for name, path in present.items():
            copy.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as {_quoted(name)} (read_only)")
        published = [
            _copy_table(copy, database, schema, table)
            for database, schema, table in copy.execute(
                "select database_name, schema_name, table_name from duckdb_tables() order by all"
            ).fetchall()
            if database in present and _is_published(schema, table)
        ]
        views = copy.execute(
            "select database_name, schema_name, view_name, sql from duckdb_views() where not internal order by all"
        ).fetchall()
        published += _copy_views(copy, [view for view in views if view[0] in present and _is_shown(view[2], view[3])])
        for name in present:
            copy.execute(f"detach {_quoted(name)}")
        for relation in published:  # every view must stand on the copy alone
            copy.execute(f"select * from {_quoted(relation.name)} limit 0")
    return published


def _is_published(schema: str, table: str) -> bool:
    return (schema.upper() == "GOLD" and table.lower().startswith(TABLES)) or (
        schema.upper() == "BRONZE" and table.upper() in LEDGER
    )


def _is_shown(view: str, sql: str) -> bool:
    """Whether a view is published. An old name that reads below the marts is not; a report that does is an error."""
    name = view.lower()
    return name.startswith(VIEWS) or (name.startswith(OLD_NAMES) and not _BELOW_THE_MARTS.search(sql))


def _copy_table(copy: duckdb.DuckDBPyConnection, database: str, schema: str, table: str) -> Published:
    source = f"{_quoted(database)}.{_quoted(schema)}.{_quoted(table)}"
    name = table.lower()
    if name.upper() in LEDGER:
        # One ledger for all clients: the copy says which database a row came from.
        label = database.replace("'", "''")
        select = f"select '{label}' as source_database, * from {source}"
        exists = copy.execute(
            "select count(*) from duckdb_tables() where database_name = current_database() and table_name = ?", [name]
        ).fetchone()
        copy.execute(
            f"insert into {_quoted(name)} {select}"
            if exists and exists[0]
            else f"create table {_quoted(name)} as {select}"
        )
    else:
        copy.execute(f"create table {_quoted(name)} as select * from {source}")
    rows, copied = _rows(copy, source), _rows(copy, _quoted(name))
    if name.upper() not in LEDGER and rows != copied:
        raise PublishError(f"{name} has {copied} rows in the copy and {rows} in the warehouse; the last copy stays")
    return Published(name, "table", rows)


def _copy_views(copy: duckdb.DuckDBPyConnection, views: list[tuple[str, str, str, str]]) -> list[Published]:
    published = []
    waiting = list(views)
    while waiting:
        postponed, error = [], ""
        for view in waiting:
            database, schema, name, sql = view
            try:
                copy.execute(_over_the_copy(sql))
            except duckdb.CatalogException as missing:  # a view over a view that is not there yet
                postponed.append(view)
                error = f"{name}: {' '.join(str(missing).split())}"
                continue
            source = f"{_quoted(database)}.{_quoted(schema)}.{_quoted(name)}"
            rows, copied = _rows(copy, source), _rows(copy, _quoted(name.lower()))
            if rows != copied:
                raise PublishError(f"{name} has {copied} rows in the copy and {rows} in the warehouse")
            published.append(Published(name.lower(), "view", rows))
        if len(postponed) == len(waiting):
            raise PublishError(f"a report view reads something that is not published: {error}")
        waiting = postponed
    return published


_BELOW_THE_MARTS = re.compile(r"\b(SILVER|BRONZE)\"?\.", re.IGNORECASE)
_QUALIFIED = re.compile(r"(?<![\w.\"'])(\"?[A-Z]+_DB_[A-Z]+\"?\.)?\"?GOLD\"?\.(?=[\w\"])", re.IGNORECASE)


def _over_the_copy(sql: str) -> str:
    """A view's definition with every database and schema taken out: in the copy all names live side by side."""
    return _QUALIFIED.sub("", sql)


def _rows(copy: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = copy.execute(f"select count(*) from {relation}").fetchone()
    return int(row[0]) if row else 0


def _point_at(target: Path, version: Path) -> None:
    """Make the published name mean this version, in one step."""
    link = target.with_suffix(".next")
    link.unlink(missing_ok=True)
    link.symlink_to(version.name)
    link.replace(target)


def _forget_old(target: Path) -> None:
    versions = sorted(target.parent.glob(f"{target.stem}-*.duckdb"))
    for old in versions[:-VERSIONS_KEPT]:
        old.unlink()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
