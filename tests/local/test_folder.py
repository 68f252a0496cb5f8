from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from include.local.clean import clean
from include.local.folder import Place, Refused, hold


def ended_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_folder_in_use_says_by_whom(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with hold(place, "make run"), pytest.raises(Refused) as refused, hold(place, "make up"):
        pass

    message = str(refused.value)
    assert message.startswith(f"{tmp_path} is in use by make run (pid {os.getpid()}, since ")
    assert "SUPPORT_DATA_DIR" in message
    assert refused.value.exit_code == 2


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with hold(place, "make run"):
        pass
    with hold(place, "make up"):
        assert json.loads(place.lock.read_text())["command"] == "make up"


def test_a_holder_whose_master_is_gone_is_waited_for_before_it_is_named(tmp_path: Path) -> None:
    place = Place(tmp_path)
    gone = ended_process()
    with hold(place, "make run"):
        place.lock.write_text(json.dumps({"pid": gone, "command": "make run", "since": "now"}))
        with pytest.raises(Refused, match=f"pid {gone}"), hold(place, "make up", patience=0.3):
            pass


def test_clean_removes_what_the_commands_made_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    with hold(Place(data), "make run"):
        (data / "landing" / "def").mkdir(parents=True)
        (data / "landing" / "def" / "part.parquet").write_bytes(b"x" * 2_000_000)
        (data / "my-notes.txt").write_text("keep me")

    assert clean(False, data, repo=tmp_path) == 0
    assert [p.name for p in data.iterdir()] == ["my-notes.txt"]
    assert "landing  (2.0 MB)" in capsys.readouterr().out


def test_clean_takes_an_empty_folder_away_too(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with hold(Place(data), "make run"):
        (data / "warehouse").mkdir()

    clean(False, data, repo=tmp_path)

    assert not data.exists()


def test_clean_keeps_away_from_a_folder_no_command_has_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "warehouse").mkdir()

    assert clean(False, tmp_path, repo=tmp_path) == 0
    assert (tmp_path / "warehouse").is_dir()
    assert "nothing to clean" in capsys.readouterr().out


def test_clean_is_refused_while_a_stack_is_running(tmp_path: Path) -> None:
    with hold(Place(tmp_path), "make up"):
        (tmp_path / "warehouse").mkdir()
        with pytest.raises(Refused, match="in use by make up"):
            clean(True, tmp_path, repo=tmp_path)

    assert (tmp_path / "warehouse").is_dir()


def test_clean_everything_takes_the_environments_as_well(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv-lint").mkdir()

    clean(True, tmp_path / "data", repo=tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("simulated", [True, False])
def test_clean_removes_dropped_files_only_where_the_simulated_vendors_dropped_them(
    tmp_path: Path, simulated: bool
) -> None:
    data = tmp_path / "data"
    with hold(Place(data), "make run"):
        (data / "drop" / "qa_reviews").mkdir(parents=True)
        if simulated:
            (data / "simulators").mkdir()

    clean(False, data, repo=tmp_path)

    assert (data / "drop").exists() is not simulated


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Refused) as refused, hold(Place(tmp_path / "file" / "data"), "make run"):
        pass
    assert str(refused.value) == (
        f"SUPPORT_DATA_DIR is '{tmp_path}/file/data', which cannot be used (Not a directory); "
        "name a folder this user may write to"
    )
