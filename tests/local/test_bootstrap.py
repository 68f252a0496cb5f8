from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from include.local import bootstrap


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (tmp_path / name).write_text(f"# {name}\n")
    return tmp_path


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An installer that only makes bin/python, and the list of what it was asked for."""
    asked: list[str] = []

    def install(folder: Path, requirements: list[Path], constraints: Path, python: str, lock: int) -> None:
        asked.append(f"{folder.name}: {', '.join(f.name for f in requirements)} under {constraints.name}")
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / "python").unlink(missing_ok=True)
        (folder / "bin" / "python").symlink_to(python)

    monkeypatch.setattr(bootstrap, "install", install)
    return asked


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([("python3", (3, 11), "/a")], "/a"),
        ([("python3", (3, 13), "/a"), ("python3.12", (3, 12), "/b")], "/b"),
        ([("python3", (3, 9), "/a"), ("python3.12", (3, 12), "/b"), ("python3.11", (3, 11), "/c")], "/b"),
    ],
)
def test_the_first_fitting_python_is_chosen(found: list[tuple[str, tuple[int, int], str]], chosen: str) -> None:
    assert bootstrap.choose_python(found)[1] == chosen


def test_without_a_fitting_python_the_sentence_says_what_was_found_and_what_is_needed() -> None:
    with pytest.raises(bootstrap.SetupError) as error:
        bootstrap.choose_python([("python3", (3, 13), "/a"), ("python", (2, 7), "/b")])

    assert str(error.value) == (
        "Python 3.11 or 3.12 is needed and none was found on PATH (python3 is 3.13, python is 2.7). "
        "Install one, or put it first on PATH, and try again."
    )


def test_a_command_that_does_not_start_is_no_python() -> None:
    assert bootstrap.probe("/nonexistent/python3") is None


def test_an_environment_is_made_once(repo: Path, installs: list[str]) -> None:
    assert bootstrap.ensure("run", repo) is True
    assert bootstrap.ensure("run", repo) is False
    assert installs == [".venv: requirements.txt, requirements-dev.txt under constraints.txt"]


@pytest.mark.parametrize("changed", ["requirements.txt", "requirements-dev.txt", "constraints.txt"])
def test_a_changed_requirement_file_makes_it_anew(repo: Path, installs: list[str], changed: str) -> None:
    bootstrap.ensure("run", repo)
    (repo / changed).write_text("something-else\n")

    assert bootstrap.ensure("run", repo) is True
    assert len(installs) == 2


def test_a_file_that_was_only_touched_does_not(repo: Path, installs: list[str]) -> None:
    bootstrap.ensure("run", repo)
    (repo / "requirements.txt").touch()

    assert bootstrap.ensure("run", repo) is False
    stamp = repo / ".venv" / bootstrap.STAMP
    assert stamp.stat().st_mtime >= (repo / "requirements.txt").stat().st_mtime  # so make is content as well


def test_a_set_up_that_was_killed_is_done_again(
    repo: Path, installs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = bootstrap.install

    def killed(folder: Path, *rest: object) -> None:
        complete(folder, *rest)  # type: ignore[arg-type]  # the same arguments, handed through
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "install", killed)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.ensure("run", repo)
    monkeypatch.setattr(bootstrap, "install", complete)

    assert bootstrap.ensure("run", repo) is True


def test_an_environment_whose_python_is_gone_is_made_anew(repo: Path, installs: list[str]) -> None:
    bootstrap.ensure("run", repo)
    (repo / ".venv" / "bin" / "python").unlink()

    assert bootstrap.ensure("run", repo) is True


def test_a_missing_requirement_file_is_named(repo: Path) -> None:
    (repo / "constraints.txt").unlink()

    with pytest.raises(
        bootstrap.SetupError, match=r"constraints.txt is missing; the environment .venv is made from it"
    ):
        bootstrap.ensure("run", repo)


def test_what_an_installer_said_is_shown_when_it_fails(tmp_path: Path) -> None:
    with bootstrap.only_one(tmp_path) as lock, pytest.raises(bootstrap.SetupError) as error:
        bootstrap.call([sys.executable, "-c", "print('no such package: x'); exit(3)"], {}, lock, "installing")

    assert str(error.value) == "installing failed (exit 3); its last lines were\n  no such package: x"


def test_it_starts_on_any_python_3_without_anything_installed(repo: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-I", "-S", bootstrap.__file__, "unknown"], capture_output=True, text=True, check=False
    )

    assert "KeyError: 'unknown'" in answer.stderr  # it came as far as looking up the name: every import worked
