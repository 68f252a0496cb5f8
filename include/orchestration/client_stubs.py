"""The dbt side of a new client: everything that is the same for every client written, the rest as empty stubs.

From the client's own file (include/clients/abc.yaml) and what the project has for its first client:

- sources, generated from the inventory of streams;
- Silver, a model per stream, typed as the first client's model of the same stream is;
- facts and dimensions as empty tables with the right columns: their logic is the client's own and has to be written;
- aggregates and reports, each the one macro call it is for every client;
- the client's database in dbt_project.yml and profiles.yml, and its selector.

    python -m include.orchestration.client_stubs abc             writes what is not there yet into the dbt project
    python -m include.orchestration.client_stubs abc --into DIR  the same into another copy of it

A file that exists is left alone, so the command can be repeated while the stubs are being filled in.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from include.bronze.ledger import LEDGER
from include.orchestration.dbt_sources import sources_yaml
from include.settings import DBT_PROJECT_DIR, Client, ConfigurationError, Settings, load_settings

FIRST = "def"  # the client whose models show how they are done
WRITTEN = ("agg", "rpt")  # one macro call each, the same for every client
EMPTY = ("fct", "dim")

SOURCE_TABLE = re.compile(r"'\w+_bronze', '(\w+)'")
MACRO_CALL = re.compile(r"\{\{\s*\w+\('\w+'.*\)\s*\}\}|select \* from \{\{ ref\('\w+'\) \}\}", re.S)
REFERENCE = re.compile(r"ref\('(\w+)'\)")


def stubs(client: Client, first: Client, project: Path) -> dict[Path, str]:
    """What a client's dbt project begins with, by path: models, and the shared files with the client in them."""
    renamed = _renames(client, first)
    theirs = project / "models" / first.code
    files = {Path(f"models/{client.code}/_{client.code}__sources.yml"): sources_yaml(client)}
    for path in _models(theirs, client, renamed):
        target = Path("models") / client.code / renamed(str(path.relative_to(theirs)))
        files[target] = _sql(path, renamed)
        files[target.with_suffix(".yml")] = path.with_suffix(".yml").read_text(encoding="utf-8")
    names = {path.stem for path in files}
    for target in [path for path in files if path.suffix == ".yml" and "__sources" not in path.name]:
        files[target] = _described(files[target], client, names, renamed)
    folders = {part for path in files for part in path.parts[2:-1]}
    for name in ("dbt_project.yml", "profiles.yml", "selectors.yml"):
        text = (project / name).read_text(encoding="utf-8")
        if f"client_{client.code}" not in text and f"{client.code}_DB_".upper() not in text:
            files[Path(name)] = _registered(name, text, client, first, folders)
    return files


class _Renames:
    """A text of the first client as the new one's: its code, and the names its streams have there."""

    def __init__(self, code: str, streams: dict[str, str]) -> None:
        self._code, self._streams = code, streams

    def __call__(self, text: str) -> str:
        for old in sorted(self._streams, key=len, reverse=True):
            text = re.sub(rf"(?<![a-z]){old}(?![a-z])", self._streams[old], text)
            text = re.sub(rf"(?<![A-Z]){old.upper()}(?![A-Z])", self._streams[old].upper(), text)
        text = re.sub(rf"(?<![a-z]){FIRST}(?![a-z])", self._code, text)
        return text.replace(f"{FIRST}_DB_".upper(), f"{self._code}_DB_".upper())


def _renames(client: Client, first: Client) -> _Renames:
    theirs = {(stream.spec.system, stream.spec.object): stream.name for stream in first.streams}
    ours = {(stream.spec.system, stream.spec.object): stream.name for stream in client.streams}
    return _Renames(client.code, {theirs[key]: name for key, name in ours.items() if theirs.get(key, name) != name})


def _models(theirs: Path, client: Client, renamed: _Renames) -> Iterator[Path]:
    """The first client's models that a client with these streams begins with."""
    loaded = {stream.table for stream in client.streams} | {table.name for table in LEDGER}
    for path in sorted(theirs.rglob("*.sql")):
        sql = path.read_text(encoding="utf-8")
        layer = path.stem.split("_", 1)[0]
        if "silver" in path.parts:
            if {renamed(table) for table in SOURCE_TABLE.findall(sql)} <= loaded:
                yield path
        elif path.parent.name == "gold" and (layer in EMPTY or (layer in WRITTEN and _is_one_call(sql))):
            yield path


def _is_one_call(sql: str) -> bool:
    return bool(MACRO_CALL.fullmatch(re.sub(r"\{#.*?#\}", "", sql, flags=re.S).strip()))


EMPTY_MODEL = """\
{{#-
    A stub: the columns that reports need, and no rows. The client's own rules have to be written here.
{states}-#}}
with {roster}final as (

    select
{columns}
{source}    where false

)

select * from final
"""
# Where everybody's agents are in the source, the roster decides whose rows count (category 3).
ROSTER = "employees as (\n\n    select * from {{{{ ref('dim_employee_{client}') }}}}\n\n),\n\n"
FROM_ROSTER = "    from employees\n    inner join employees as roster\n        on employees.eid = roster.eid\n"


def _sql(path: Path, renamed: _Renames) -> str:
    """A model's SQL for the client: the same under its names, or no rows of the same columns."""
    if path.stem.split("_", 1)[0] not in EMPTY:
        return renamed(path.read_text(encoding="utf-8"))
    (model,) = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))["models"]
    meta = model.get("config", {}).get("meta", {})
    states = [f"    {key}: {meta[key]}" for key in ("source_category", "xo_filter_strategy", "join_key") if key in meta]
    everybodys = meta.get("source_category") == 3
    return EMPTY_MODEL.format(
        states="\n".join(["", *states, ""]) if states else "",
        roster=ROSTER.format(client=renamed(FIRST)) if everybodys else "",
        columns=",\n".join(f"        cast(null as {each['data_type']}) as {each['name']}" for each in model["columns"]),
        source=FROM_ROSTER if everybodys else "",
    )


def _described(text: str, client: Client, names: set[str], renamed: _Renames) -> str:
    """A model's YAML for the client: without unit tests, and without tests that look where the client has nothing."""
    described = yaml.safe_load(renamed(text))
    described.pop("unit_tests", None)
    (model,) = described["models"]

    def there(test: Any) -> bool:
        return all(
            name in names or client.code not in name.split("_")
            for name in REFERENCE.findall(str(test).replace('"', "'"))
        )

    for holder in [model, *model["columns"]]:
        if kept := [test for test in holder.get("data_tests", []) if there(test)]:
            holder["data_tests"] = kept
        else:
            holder.pop("data_tests", None)
    return yaml.safe_dump(described, sort_keys=False, width=118, allow_unicode=True)


def _registered(name: str, text: str, client: Client, first: Client, folders: set[str]) -> str:
    """A shared file with the client's part, made from the first client's."""
    code, theirs = client.code, first.code
    if name == "selectors.yml":
        return (
            text
            + f"\n  - name: client_{code}\n    description: Everything of client {code}, with its tests.\n"
            + f"    definition:\n      method: tag\n      value: client_{code}\n"
        )
    if name == "profiles.yml":
        attached = re.compile(rf'^ +- path: "[^"\n]*{theirs.upper()}_DB_\w+[^"\n]*"\n(?: +alias: \w+\n)?', re.M)
        return attached.sub(
            lambda found: found[0] + found[0].replace(f"{theirs}_DB_".upper(), f"{code}_DB_".upper()), text
        )
    block = re.search(rf"^    {theirs}:\n.*?(?=^    \w+:\n)", text, re.M | re.S)
    if not block:
        raise ConfigurationError(f"dbt_project.yml has no folder {theirs} to copy the configuration of")
    ours = block[0].replace(f"    {theirs}:", f"    {code}:", 1).replace(f"{theirs}_DB_".upper(), f"{code}_DB_".upper())
    ours = ours.replace(f"client_{theirs}", f"client_{code}")
    ours = re.sub(r"<<: &silver\n(?: {10,}.*\n)+", "<<: *silver\n", ours)
    for folder in re.findall(r"^ {6,8}(\w+):$", ours, re.M):
        if folder not in folders:  # dbt warns of configuration for a folder that is not there
            ours = re.sub(rf"^( +){folder}:\n(?:\1 +.*\n)+", "", ours, flags=re.M)
    return text[: block.end()] + ours + text[block.end() :]


def main(argv: list[str] | None = None, settings: Settings | None = None) -> int:
    """Write the stubs, and say what was written."""
    parser = argparse.ArgumentParser(prog="python -m include.orchestration.client_stubs", description=__doc__)
    parser.add_argument("client", help="the code of a client that has a file in include/clients")
    parser.add_argument("--into", type=Path, default=DBT_PROJECT_DIR, help="a dbt project; the repository's by default")
    arguments = parser.parse_args(argv)
    try:
        current = settings or load_settings()
        files = stubs(current.client(arguments.client), current.client(FIRST), arguments.into)
    except ConfigurationError as error:
        print(f"configuration: {error}", file=sys.stderr)
        return 2
    written = 0
    for path, text in files.items():
        target = arguments.into / path
        if path.parts[0] == "models" and target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        written += 1
    print(f"{written} files written, {len(files) - written} were there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
