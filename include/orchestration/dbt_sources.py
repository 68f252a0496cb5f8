"""The dbt sources of every client, written from the inventory of streams and the client files.

dbt learns from these files what a Bronze table holds and how its Silver model has to be built: the record key, the
version stamp, what a batch proves about absent records. They are committed, so that dbt runs without this module; a
test fails when they are stale.

    python -m include.orchestration.dbt_sources            writes the files
    python -m include.orchestration.dbt_sources --check    exits 1 and names the files that are stale
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from include.bronze.batch import PARENT_KEY
from include.bronze.ledger import ATTEMPTS, BATCHES, COVERAGE, LEDGER, SCHEMA, LedgerTable
from include.bronze.streams import Cadence, InputKind, LoadStrategy, column_name
from include.settings import DBT_PROJECT_DIR, Client, ClientStream, ConfigurationError, Target, load_settings

HEADER = """\
# Generated from include/bronze/streams.py and include/clients/{code}.yaml. Do not edit; change those and run
#     python -m include.orchestration.dbt_sources
"""

# A load that is a few hours late is worth a warning; two missed in a row are worth an alarm.
FRESHNESS = {
    Cadence.NIGHTLY: {"warn_after": {"count": 26, "period": "hour"}, "error_after": {"count": 50, "period": "hour"}},
    Cadence.WEEKLY: {"warn_after": {"count": 8, "period": "day"}, "error_after": {"count": 15, "period": "day"}},
}

METADATA = {
    "RECORD_KEY": "The record's key, as the vendor gives it.",
    "RECORD_HASH": "Fingerprint of the record's content without its volatile fields.",
    "DATE_TO_WAREHOUSE": "When the reply that holds the row was read, UTC.",
    "SOURCE_FILE": "The landed part and the page of the reply the row was read from.",
    "BATCH_ID": "The batch that delivered the row: one stream over one window.",
    "PIPELINE_RUN_ID": "The run that extracted the row.",
    PARENT_KEY: "The key of the record this one was asked for under.",
}

LEDGER_TABLES = {
    BATCHES: (
        InputKind.RECORD_SET,
        "The loaded batches, a row each. Written in the transaction that loads the batch.",
    ),
    COVERAGE: (
        InputKind.EVENT_STREAM,
        "What each batch looked at, a row per scope: the proof that a record which is not there is gone.",
    ),
    ATTEMPTS: (
        InputKind.RECORD_SET,
        "What was tried to extract, a row per attempt: complete, failed with its reason, or cut off. Copied from "
        "landing when a run is over.",
    ),
}


class _Dumper(yaml.SafeDumper):
    """Block style with indented lists and no aliases, as the hand-written files have it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the base's signature
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base's signature
        return True


def sources_path(client: Client) -> Path:
    """Where a client's sources belong: beside its models."""
    return DBT_PROJECT_DIR / "models" / client.code / f"_{client.code}__sources.yml"


def sources_yaml(client: Client) -> str:
    """A client's sources file."""
    source = {
        "name": f"{client.code}_bronze",
        "description": (
            f"Records of {client.name} ({client.code}) exactly as delivered, every column text, and the batch ledger."
        ),
        "database": _database(client),
        "schema": SCHEMA,
        "config": {
            "meta": {
                "client": client.code,
                "reporting_timezone": client.timezone,
                "unreadable_allowed": client.unreadable_allowed,
            }
        },
        "tables": [_stream_table(client, stream) for stream in client.streams]
        + [_ledger_table(table) for table in LEDGER],
    }
    body = yaml.dump({"sources": [source]}, Dumper=_Dumper, sort_keys=False, width=118, allow_unicode=True)
    return HEADER.format(code=client.code) + "\n" + body


def _database(client: Client) -> str:
    targets = ", ".join(f"'{target}'" for target in Target)
    prefix = f"{client.code}_DB_".upper()
    return f"{{{{ '{prefix}' ~ (target.name | upper) if target.name in ({targets}) else 'invalid_environment' }}}}"


def _stream_table(client: Client, stream: ClientStream) -> dict[str, Any]:
    spec = stream.spec
    ledger = f"{_database(client)}.{SCHEMA}.{BATCHES}"
    return {
        "name": stream.table,
        "description": spec.description,
        "config": {
            "meta": {key: value for key, value in _stream_meta(stream).items() if value is not None},
            "freshness": FRESHNESS[spec.cadence],
            "loaded_at_query": f"select max(LOADED_AT) from {ledger} where STREAM = '{stream.name}'",  # noqa: S608 - our names
        },
        "columns": [
            *(_column(name, f"`{field}` as delivered.") for name, field in zip(spec.columns, spec.fields, strict=True)),
            *(_column(name, METADATA[name]) for name in spec.metadata),
        ],
    }


def _stream_meta(stream: ClientStream) -> dict[str, Any]:
    """What Silver is generated from; what a stream does not have is None."""
    spec = stream.spec
    keys = [column_name(field) for field in spec.key_fields]
    return {
        "system": spec.system,
        "record_key": keys[0] if len(keys) == 1 else keys,
        "order_by": column_name(spec.version_stamp) if spec.version_stamp else None,
        "order_by_path": spec.stamp_path,
        "input_kind": spec.input_kind.value,
        "is_append_only": spec.input_kind is InputKind.EVENT_STREAM,
        "load_strategy": spec.strategy.value,
        "cadence": spec.cadence.value,
        "coverage": spec.coverage.value,
        "parent": _table_beside(stream, spec.parent),
        "buries": _table_beside(stream, spec.buries),
        "lists": _table_beside(stream, spec.lists),
        "volatile": sorted(column_name(field) for field in spec.volatile),
    }


def _table_beside(stream: ClientStream, object_: str | None) -> str | None:
    """The Bronze table of another object of the same source."""
    return f"{stream.source_name}_{object_}".upper() if object_ else None


def _ledger_table(table: LedgerTable) -> dict[str, Any]:
    kind, description = LEDGER_TABLES[table.name]
    # Ledger rows are replaced with their batch, in the batch's own transaction.
    meta = {"input_kind": kind.value, "is_append_only": False, "load_strategy": LoadStrategy.BATCH_REPLACE.value}
    return {
        "name": table.name,
        "description": description,
        "config": {"meta": meta},
        "columns": [{"name": column, "quote": False, "data_type": kind} for column, kind in table.columns],
    }


def _column(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "description": description, "quote": False, "data_type": "VARCHAR"}


def main(argv: list[str] | None = None) -> int:
    """Write the files, or say which are stale."""
    parser = argparse.ArgumentParser(prog="python -m include.orchestration.dbt_sources", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    arguments = parser.parse_args(argv)
    try:
        clients = [client for client in load_settings().clients.values() if client.streams]
    except ConfigurationError as error:
        print(f"configuration: {error}", file=sys.stderr)
        return 2
    wanted = {sources_path(client): sources_yaml(client) for client in clients}
    stale = {path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        if arguments.check:
            print(f"{path} is stale; run python -m include.orchestration.dbt_sources", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path}")
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
