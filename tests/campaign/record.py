"""What campaigns found: one file for each suite, which every portion that is run adds to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from include.settings import REPO

FOLDER = REPO / "benchmarks" / "campaign"


@dataclass(frozen=True)
class Failure:
    """A test that failed, and what it said."""

    test: str
    said: str


@dataclass(frozen=True)
class Played:
    """A portion that was run: when, on what, and what came of it."""

    portion: str
    seed: int
    at: str
    commit: str
    machine: str
    seconds: float
    done: Mapping[str, int]
    failures: tuple[Failure, ...] = ()

    @property
    def key(self) -> tuple[str, int]:
        return self.portion, self.seed


@dataclass(frozen=True)
class Record:
    """Every portion of a suite as it went when it was last run, and those that failed at an earlier commit."""

    suite: str
    played: tuple[Played, ...] = ()
    mended: tuple[Played, ...] = ()

    def with_(self, new: Played) -> Record:
        """The same with one more: in the place of an earlier run of that portion, whose failures are not forgotten."""
        before = [one for one in self.played if one.key == new.key]
        mended = [one for one in before if one.failures and not new.failures and one.commit != new.commit]
        others = [one for one in self.played if one.key != new.key]
        return Record(self.suite, tuple(sorted([*others, new], key=lambda one: one.key)), (*self.mended, *mended))

    def done(self) -> Counter[str]:
        """How many cases of each part have been run."""
        return sum((Counter(dict(one.done)) for one in self.played), Counter())

    @property
    def good(self) -> set[tuple[str, int]]:
        """The portions that need not be run again."""
        return {one.key for one in self.played if not one.failures}


def path_of(suite: str, folder: Path = FOLDER) -> Path:
    return folder / f"{suite}.json"


def read(suite: str, folder: Path = FOLDER) -> Record:
    """What is recorded of a suite; nothing yet, if nothing is."""
    path = path_of(suite, folder)
    if not path.is_file():
        return Record(suite)
    text = json.loads(path.read_text())
    return Record(suite, _all_played(text["played"]), _all_played(text["mended"]))


def write(record: Record, folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path_of(record.suite, folder).write_text(json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n")


def _all_played(rows: Sequence[Mapping[str, Any]]) -> tuple[Played, ...]:
    return tuple(Played(**{**row, "failures": tuple(Failure(**each) for each in row["failures"])}) for row in rows)
