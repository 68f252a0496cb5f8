"""The one typed reading of configuration: include/clients/*.yaml and the environment.

Every bad value is one sentence that names the file, the key, the value and what is allowed. Nothing here opens a
connection or writes a file, so a DAG file may read it at parse time.

    python -m include.settings            prints what is configured; exits 2 with the sentence if something is wrong
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from include.bronze.batch import Grid
from include.bronze.streams import DROPPED, SYSTEMS, Stream, streams_of

REPO = Path(__file__).resolve().parent.parent
CLIENTS_DIR = REPO / "include" / "clients"
DBT_PROJECT_DIR = REPO / "include" / "dbt"
RUNS = "runs"
SHARED_CLIENT = "core"

# How far behind now a vendor's search may still miss changes: Pylon's index has been seen about five minutes late.
INDEX_LAG = timedelta(minutes=5)


class ConfigurationError(ValueError):
    """A value that cannot be used. The message names the place, the key, the value and what is allowed."""


class Target(StrEnum):
    """Where the warehouse is. The name is the suffix of every database."""

    LOCAL = "local"
    CI = "ci"
    CICD = "cicd"
    DEV = "dev"
    PROD = "prod"

    @property
    def is_embedded(self) -> bool:
        """Whether the databases are DuckDB files of this machine, with one writer at a time."""
        return self in (Target.LOCAL, Target.CI)

    @property
    def is_snowflake(self) -> bool:
        return self in (Target.DEV, Target.PROD)


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """One workspace of one system, under the name its Bronze tables carry."""

    system: str
    connection: Identifier | None = None
    url: str | None = None
    history_from: date
    streams: tuple[str, ...] = Field(min_length=1)
    overlap: timedelta = timedelta(hours=1)
    minimum_gap: timedelta = timedelta(milliseconds=500)
    legacy: bool = False

    @field_validator("system")
    @classmethod
    def _system_is_known(cls, value: str) -> str:
        if value not in SYSTEMS:
            raise ValueError(f"no such system; known are {', '.join(SYSTEMS)}")
        return value

    @model_validator(mode="after")
    def _streams_are_known(self) -> Source:
        known = streams_of(self.system)
        if self.system == DROPPED and len(self.streams) != 1:
            raise ValueError(f"streams: a source of system {DROPPED} is one drop folder and lists exactly one stream")
        if (self.connection is None) != (self.system == DROPPED):
            raise ValueError(
                f"connection: a source of system {DROPPED} has a url and no connection"
                if self.connection
                else f"connection is missing; a source of system {self.system} needs the Airflow connection to read by"
            )
        for name in self.streams:
            if name not in known:
                raise ValueError(
                    f"streams: '{name}' is in no inventory; system {self.system} has {', '.join(sorted(known))}"
                )
            parent = known[name].parent
            if parent and parent not in self.streams:
                raise ValueError(f"streams: '{name}' is read for each record of '{parent}'; list '{parent}' as well")
            if known[name].strategy == "truncate_insert" and not (self.legacy and known[name].legacy):
                raise ValueError(
                    f"streams: '{name}' loads by truncate_insert, which keeps no history; "
                    "write legacy: true on the source if that is really meant"
                )
        if len(set(self.streams)) != len(self.streams):
            raise ValueError("streams: a stream is listed twice; list each once")
        return self


@dataclass(frozen=True)
class ClientStream:
    """A stream as one client's source loads it."""

    client: str
    source_name: str
    source: Source
    spec: Stream

    @property
    def name(self) -> str:
        """A drop folder is named by its source alone: roster_def, qa_reviews."""
        return self.source_name if self.source.system == DROPPED else f"{self.source_name}_{self.spec.object}"

    @property
    def parent(self) -> str | None:
        """The name of the parent stream."""
        return f"{self.source_name}_{self.spec.parent}" if self.spec.parent else None

    @property
    def buries(self) -> str | None:
        """The name of the stream whose records this one reports as gone."""
        return f"{self.source_name}_{self.spec.buries}" if self.spec.buries else None

    @property
    def table(self) -> str:
        return self.name.upper()


class Client(_Strict):
    """One client: its sources, and when its nights end."""

    code: str
    name: str
    owner: str
    timezone: str
    night: time
    schedule: str
    # when to read up to the minute as well, besides on demand; absent means on demand only
    sync: str | None = None
    sources: dict[Identifier, Source] = Field(default_factory=dict)
    # stream.COLUMN of Silver: how many records may have a value there that cannot be read before the build stops
    unreadable_allowed: dict[str, NonNegativeInt] = Field(default_factory=dict)

    @field_validator("code")
    @classmethod
    def _code_is_three_letters(cls, value: str) -> str:
        if value != SHARED_CLIENT and not (len(value) == 3 and value.isascii() and value.isalpha() and value.islower()):
            raise ValueError(f"a client code is three lower-case letters (only '{SHARED_CLIENT}' has four)")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone_is_known(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("no such time zone; use an IANA name such as America/Sao_Paulo or UTC")
        return value

    @property
    def grid(self) -> Grid:
        return Grid(ZoneInfo(self.timezone), self.night)

    @property
    def streams(self) -> tuple[ClientStream, ...]:
        """Every stream this client loads, in the order its sources list them."""
        return tuple(
            ClientStream(self.code, name, source, streams_of(source.system)[stream])
            for name, source in self.sources.items()
            for stream in source.streams
        )

    def stream(self, name: str) -> ClientStream:
        """The stream of that name, such as pylon_issues."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise ConfigurationError(
            f"client {self.code} has no stream '{name}'; it has {', '.join(s.name for s in self.streams) or 'none'}"
        )

    def children(self, name: str) -> tuple[ClientStream, ...]:
        """The streams that are read for each record of a stream."""
        return tuple(stream for stream in self.streams if stream.parent == name)

    def buried_by(self, name: str) -> tuple[ClientStream, ...]:
        """The streams whose records a stream may report as gone, which takes the records' children along."""
        buried = self.stream(name).buries
        return tuple(stream for stream in self.streams if buried and buried in (stream.name, stream.parent))

    def affected_by(self, name: str) -> tuple[ClientStream, ...]:
        """The streams of which a batch of one stream may say something: its own records, or that others are gone."""
        return (self.stream(name), *self.children(name), *self.buried_by(name))


@dataclass(frozen=True)
class Settings:
    """Everything configurable, read once."""

    target: Target
    data_dir: Path
    landing: str
    # where the published copy is put as well, for readers on other machines
    serving_url: str | None
    dev_prefix: str | None
    clock_file: Path | None
    manifest_dir: Path
    clients: Mapping[str, Client]

    @property
    def warehouse_dir(self) -> Path:
        return self.data_dir / "warehouse"

    @property
    def serving_dir(self) -> Path:
        return self.data_dir / "serving"

    @property
    def dbt_dir(self) -> Path:
        return self.data_dir / "dbt"

    @property
    def runs_dir(self) -> Path:
        """What dbt did for each run of a DAG: {dag}/{run} below it."""
        return self.dbt_dir / RUNS

    @property
    def published_copy(self) -> Path:
        return self.serving_dir / "support.duckdb"

    @property
    def dbt_environment(self) -> dict[str, str]:
        """What every dbt call needs to know."""
        environment = {
            "SUPPORT_DATA_DIR": str(self.data_dir),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        }
        if self.dev_prefix:
            environment["SUPPORT_DEV_PREFIX"] = self.dev_prefix
        return environment

    @property
    def dbt_paths(self) -> dict[str, str]:
        """Where a dbt that runs in the project folder writes: never there. Cosmos runs it in a copy of its own."""
        return {"DBT_TARGET_PATH": str(self.dbt_dir / "target"), "DBT_LOG_PATH": str(self.dbt_dir / "logs")}

    def client(self, code: str) -> Client:
        if code not in self.clients:
            raise ConfigurationError(f"no client '{code}'; configured are {', '.join(self.clients)}")
        return self.clients[code]

    def database(self, client: str) -> str:
        """The database of one client on this target, the same name on every engine."""
        return f"{self.client(client).code}_DB_{self.target}".upper()

    def database_file(self, client: str) -> Path:
        """The DuckDB file of that database."""
        return self.warehouse_dir / f"{self.database(client)}.duckdb"

    def now(self) -> datetime:
        """Now, by which runs are planned. With simulated vendors it is their clock, which stands until it is moved."""
        return self._clock() if self.clock_file else datetime.now(UTC)

    def reading_clock(self) -> datetime:
        """Now, as replies are stamped: it never stands still, so of two readings the later one has the later stamp."""
        if self.clock_file is None:
            return datetime.now(UTC)
        moved_at = datetime.fromtimestamp(self.clock_file.stat().st_mtime, UTC)
        return self._clock() + max(datetime.now(UTC) - moved_at, timedelta())

    def _clock(self) -> datetime:
        assert self.clock_file is not None
        try:
            written = self.clock_file.stat()
            return _clock_in(self.clock_file, (written.st_ino, written.st_mtime_ns))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"SUPPORT_CLOCK_FILE names '{self.clock_file}', which holds no clock ({error}); "
                'it must be a JSON file like {"now": "2026-01-05T06:20:00Z"}, or be unset to use the real time'
            ) from error


# Whenever the clock moves, its file is another one. It is read at every reply.
@lru_cache(1)
def _clock_in(file: Path, _written: tuple[int, int]) -> datetime:
    return datetime.fromisoformat(json.loads(file.read_text())["now"]).astimezone(UTC)


def load_settings(environment: Mapping[str, str] | None = None, clients_dir: Path = CLIENTS_DIR) -> Settings:
    """Read everything. Raises ConfigurationError with one sentence per mistake."""
    env = os.environ if environment is None else environment
    data_dir = _data_dir(env)
    clock = env.get("SUPPORT_CLOCK_FILE")
    prefix = env.get("SUPPORT_DEV_PREFIX")
    if prefix and not (prefix.isascii() and prefix.replace("_", "a").isalnum() and prefix[0].isalpha()):
        raise ConfigurationError(
            f"environment: SUPPORT_DEV_PREFIX is '{prefix}'; it must be letters, digits and underscores, a letter first"
        )
    return Settings(
        target=_target(env),
        data_dir=data_dir,
        landing=env.get("SUPPORT_LANDING_URL") or str(data_dir / "landing"),
        serving_url=env.get("SUPPORT_SERVING_URL") or None,
        dev_prefix=prefix or None,
        clock_file=Path(clock) if clock else None,
        manifest_dir=Path(env.get("SUPPORT_MANIFEST_DIR") or data_dir / "dbt" / "manifest"),
        clients=_clients(clients_dir),
    )


@cache
def settings() -> Settings:
    """The settings of this process."""
    return load_settings()


def _target(env: Mapping[str, str]) -> Target:
    value = env.get("SUPPORT_TARGET") or Target.LOCAL
    try:
        return Target(value)
    except ValueError:
        raise ConfigurationError(
            f"environment: SUPPORT_TARGET is '{value}'; it must be one of {', '.join(Target)}"
        ) from None


def _data_dir(env: Mapping[str, str]) -> Path:
    path = Path(env.get("SUPPORT_DATA_DIR") or REPO / ".data").expanduser().absolute()
    nearest = next(parent for parent in (path, *path.parents) if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"environment: SUPPORT_DATA_DIR is '{path}', and '{nearest}' is no folder this user may write to; "
            "name a writable folder"
        )
    return path


def _clients(folder: Path) -> dict[str, Client]:
    clients: dict[str, Client] = {}
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yaml")):
        client = _client(path)
        if client.code in found:
            raise ConfigurationError(
                f"{_shown(path)}: code is '{client.code}', which {_shown(found[client.code])} already uses; "
                "client codes must be unique"
            )
        found[client.code] = path
        clients[client.code] = client
    if SHARED_CLIENT not in clients:
        raise ConfigurationError(f"{_shown(folder)}: no file has code '{SHARED_CLIENT}', which every client builds on")
    return clients


def _client(path: Path) -> Client:
    try:
        raw: Any = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{_shown(path)}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(raw, dict):
        raise ConfigurationError(f"{_shown(path)}: holds a {type(raw).__name__}; it must hold keys such as code")
    try:
        return Client.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationError("; ".join(_sentence(path, dict(item)) for item in error.errors())) from None


def _sentence(path: Path, error: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    allowed = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{_shown(path)}: {key} is missing; every client file needs it"
    if error["type"] == "extra_forbidden":
        return f"{_shown(path)}: {key} is no known key; remove it or correct its spelling"
    if error["type"] == "value_error" and isinstance(error["input"], dict):
        return f"{_shown(path)}: {key}.{allowed}"
    return f"{_shown(path)}: {key} is '{error['input']}': {allowed}"


def _shown(path: Path) -> str:
    return str(path.relative_to(REPO)) if path.is_relative_to(REPO) else str(path)


def main() -> int:
    """Print what is configured, or the one sentence on what is wrong."""
    try:
        current = load_settings()
    except ConfigurationError as error:
        print(f"configuration: {error}", file=sys.stderr)
        return 2
    print(f"target    {current.target}\ndata      {current.data_dir}\nlanding   {current.landing}")
    for client in current.clients.values():
        streams = ", ".join(stream.name for stream in client.streams) or "no streams"
        print(f"client    {client.code} ({client.name}): {streams}; nights end {client.night:%H:%M} {client.timezone}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
