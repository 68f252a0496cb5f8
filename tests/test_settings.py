"""Configuration: every mistake is one sentence that names the place, the key, the value and what is allowed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.settings import REPO, ConfigurationError, Target, load_settings

DEF: dict[str, Any] = {
    "code": "def",
    "name": "Default",
    "owner": "analytics",
    "timezone": "America/Sao_Paulo",
    "night": "03:00",
    "schedule": "15 3 * * *",
    "sources": {
        "pylon": {"system": "pylon", "connection": "pylon_def", "history_from": "2025-01-01", "streams": ["issues"]}
    },
}
CORE: dict[str, Any] = DEF | {"code": "core", "sources": {}}


def write(folder: Path, **clients: dict[str, Any]) -> Path:
    for name, content in clients.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return folder


def changed(**changes: Any) -> dict[str, Any]:
    return DEF | changes


def source(**changes: Any) -> dict[str, Any]:
    return changed(sources={"pylon": DEF["sources"]["pylon"] | changes})


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in DEF.items() if name != key}


@pytest.mark.parametrize(
    ("client", "sentence"),
    [
        (changed(code="defa"), "def.yaml: code is 'defa': a client code is three lower-case letters"),
        (changed(code="DEF"), "def.yaml: code is 'DEF': a client code is three lower-case letters"),
        (changed(timezone="Brazil/Sao"), "def.yaml: timezone is 'Brazil/Sao': no such time zone; use an IANA name"),
        (changed(night="25:00"), "def.yaml: night is '25:00': "),
        (changed(colour="red"), "def.yaml: colour is no known key; remove it or correct its spelling"),
        (without("owner"), "def.yaml: owner is missing; every client file needs it"),
        (source(system="zendesk"), "def.yaml: sources.pylon.system is 'zendesk': no such system; known are "),
        (
            source(streams=["issuez"]),
            "def.yaml: sources.pylon.streams: 'issuez' is in no inventory; system pylon has accounts, ",
        ),
        (source(streams=["issues", "issues"]), "def.yaml: sources.pylon.streams: a stream is listed twice"),
        (source(streams=[]), "def.yaml: sources.pylon.streams is '[]': "),
        (source(history_from="soon"), "def.yaml: sources.pylon.history_from is 'soon': "),
        (
            source(streams=["messages"]),
            "def.yaml: sources.pylon.streams: 'messages' is read for each record of 'issues'",
        ),
        (source(connection=None), "def.yaml: sources.pylon.connection is missing; a source of system pylon needs"),
        (
            source(system="files", streams=["roster"]),
            "sources.pylon.connection: a source of system files has a url and no",
        ),
        (source(connection="Pylon Def"), "def.yaml: sources.pylon.connection is 'Pylon Def': "),
    ],
)
def test_a_bad_value_in_a_client_file_is_one_sentence(client: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    write(tmp_path, **{"def": client, "core": CORE})
    with pytest.raises(ConfigurationError, match=re.escape(sentence)) as raised:
        load_settings({}, tmp_path)
    assert "\n" not in str(raised.value)


def test_two_clients_may_not_share_a_code(tmp_path: Path) -> None:
    write(tmp_path, **{"def": DEF, "other": DEF, "core": CORE})
    with pytest.raises(ConfigurationError, match=r"other\.yaml: code is 'def', which .*def\.yaml already uses"):
        load_settings({}, tmp_path)


def test_a_truncating_stream_needs_its_legacy_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from include import settings
    from include.bronze.streams import LoadStrategy, streams_of

    legacy = replace(streams_of("pylon")["issues"], strategy=LoadStrategy.TRUNCATE_INSERT, legacy=True)
    monkeypatch.setattr(settings, "streams_of", lambda _: {"issues": legacy})
    write(tmp_path, **{"def": DEF, "core": CORE})
    with pytest.raises(ConfigurationError, match="'issues' loads by truncate_insert.*write legacy: true"):
        load_settings({}, tmp_path)
    write(tmp_path, **{"def": source(legacy=True)})
    assert load_settings({}, tmp_path).client("def").streams[0].spec is legacy


def test_the_shared_client_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file has code 'core'"):
        load_settings({}, write(tmp_path, **{"def": DEF}))


@pytest.mark.parametrize("content", ["[1, 2]", "a: [", ""])
def test_a_file_that_is_no_mapping_is_named(content: str, tmp_path: Path) -> None:
    write(tmp_path, core=CORE)
    (tmp_path / "def.yaml").write_text(content)
    with pytest.raises(ConfigurationError, match=r"def\.yaml: (holds a|not YAML)"):
        load_settings({}, tmp_path)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SUPPORT_TARGET": "xyz"}, "SUPPORT_TARGET is 'xyz'; it must be one of local, ci, cicd, dev, prod"),
        (
            {"SUPPORT_DATA_DIR": "/etc/hostname/x"},
            "SUPPORT_DATA_DIR is '/etc/hostname/x', and '/etc/hostname' is no folder",
        ),
        ({"SUPPORT_DEV_PREFIX": "a b"}, "SUPPORT_DEV_PREFIX is 'a b'; it must be letters"),
    ],
)
def test_a_bad_value_in_the_environment_is_one_sentence(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        load_settings(environment)


def test_the_command_line_exits_2_with_the_sentence_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "include.settings"],
        env=os.environ | {"SUPPORT_TARGET": "xyz"},
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "configuration: environment: SUPPORT_TARGET is 'xyz'; it must be one of local, ci, cicd, dev, prod\n"
    )


def test_the_projects_own_files_are_right_and_give_the_names_of_the_house(tmp_path: Path) -> None:
    current = load_settings({"SUPPORT_DATA_DIR": str(tmp_path)})
    assert current.target is Target.LOCAL
    assert {"core", "def"} <= set(current.clients)
    assert current.database_file("def") == tmp_path / "warehouse" / "DEF_DB_LOCAL.duckdb"
    assert current.client("def").stream("pylon_issues").table == "PYLON_ISSUES"


def test_an_unknown_client_or_stream_names_those_there_are() -> None:
    current = load_settings({})
    with pytest.raises(ConfigurationError, match="no client 'xyz'; configured are core, def"):
        current.client("xyz")
    with pytest.raises(ConfigurationError, match="client def has no stream 'x'; it has pylon_accounts, "):
        current.client("def").stream("x")


def test_a_batch_says_something_of_what_is_read_for_its_records_and_of_what_it_reports_as_gone() -> None:
    client = load_settings({}).client("def")
    affected = {stream.name: [each.name for each in client.affected_by(stream.name)] for stream in client.streams}
    assert {name: others for name, others in affected.items() if others != [name]} == {
        "pylon_surveys": ["pylon_surveys", "pylon_survey_responses"],
        "pylon_issues": ["pylon_issues", "pylon_messages"],
        "plain_threads": ["plain_threads", "plain_timeline_entries"],
        "plain_deleted_threads": ["plain_deleted_threads", "plain_threads", "plain_timeline_entries"],
    }


def clock(folder: Path) -> tuple[Path, Callable[[str], None]]:
    file = folder / "clock.json"

    def move(instant: str) -> None:
        file.write_text(f'{{"now": "{instant}"}}')

    return file, move


def test_now_stands_with_the_simulated_clock_and_reading_goes_on(tmp_path: Path) -> None:
    file, move = clock(tmp_path)
    move("2026-01-05T06:20:00Z")
    os.utime(file, (datetime.now(UTC).timestamp() - 60,) * 2)
    current = load_settings({"SUPPORT_CLOCK_FILE": str(file)})
    moved = datetime(2026, 1, 5, 6, 20, tzinfo=UTC)
    assert current.now() == moved
    assert timedelta(seconds=59) < current.reading_clock() - moved < timedelta(seconds=90)
    assert current.reading_clock() < current.reading_clock()
    move("2026-01-06T06:20:00Z")
    assert current.now() == moved + timedelta(days=1)


def test_a_clock_file_without_a_clock_says_what_it_must_hold(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    file.write_text("{}")
    with pytest.raises(ConfigurationError, match=r'holds no clock .*must be a JSON file like \{"now": '):
        load_settings({"SUPPORT_CLOCK_FILE": str(file)}).now()


def test_without_a_clock_file_now_is_now() -> None:
    assert abs(load_settings({}).now() - datetime.now(UTC)) < timedelta(seconds=5)
