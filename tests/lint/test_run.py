"""lint/run.py runs every gate, says what failed and why, and its exit code tells the truth."""

import subprocess
import sys

import pytest

from lint import run
from lint.run import GATES, Gate, main, run_all, with_needs


def gate(name: str, code: str, needs: tuple[str, ...] = (), **env: str) -> Gate:
    return Gate(name, f"what {name} catches", (sys.executable, "-c", code), needs, env)


GOOD = gate("good", "print('fine, and nobody needs to hear it')")
BAD = gate("bad", "import sys; print('the reason'); print('and on stderr', file=sys.stderr); sys.exit(3)")


def test_a_failing_gate_shows_what_it_said_and_a_passing_one_does_not(capsys: pytest.CaptureFixture[str]):
    assert run_all([GOOD, BAD]) == ["bad"]
    said = capsys.readouterr().out
    assert "fine, and nobody" not in said
    assert "FAILED  what bad catches" in said
    assert "    the reason\n" in said
    assert "    and on stderr\n" in said


def test_a_failing_gate_does_not_stop_the_ones_after_it(capsys: pytest.CaptureFixture[str]):
    assert run_all([BAD, GOOD]) == ["bad"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("good ")
    assert lines[-1].endswith(" ok")


def test_a_gate_that_reads_what_a_failed_one_makes_fails_without_running(capsys: pytest.CaptureFixture[str]):
    reader = gate("reader", "print('ran')", needs=("bad",))
    assert run_all([BAD, reader]) == ["bad", "reader"]
    assert "not run: it reads what bad makes" in capsys.readouterr().out


def test_a_tool_that_is_not_installed_is_a_failure_that_says_what_to_do(capsys: pytest.CaptureFixture[str]):
    assert run_all([Gate("gone", "anything", ("/no/such/tool",))]) == ["gone"]
    assert "/no/such/tool could not be started (No such file or directory): run `make setup`" in capsys.readouterr().out


def test_colours_do_not_reach_a_log(capsys: pytest.CaptureFixture[str]):
    run_all([gate("loud", r"import sys; print('\033[31;20mred\033[0m'); sys.exit(1)")])
    assert "    red\n" in capsys.readouterr().out


def test_a_gate_gets_its_environment_and_no_terminal():
    code = "import os, sys; sys.exit(0 if os.environ['ITS_OWN'] == 'x' and not sys.stdin.read() else 1)"
    assert run_all([gate("env", code, ITS_OWN="x")]) == []


def test_asking_for_a_gate_brings_what_it_needs_in_the_usual_order():
    first, second = gate("first", ""), gate("second", "", needs=("first",))
    assert with_needs(["second"], [first, GOOD, second]) == [first, second]


def test_every_gate_is_named_once_and_needs_only_gates_before_it():
    names = [each.name for each in GATES]
    assert len(set(names)) == len(names)
    assert [each.name for each in GATES if not set(each.needs) <= set(names[: names.index(each.name)])] == []


def test_the_exit_code_tells_the_truth(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(run, "GATES", (GOOD, BAD))
    assert main([]) == 1
    assert "1 of 2 gates failed: bad" in capsys.readouterr().out
    assert main(["--only", "good"]) == 0
    assert "1 gates ok" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_the_names_there_are():
    done = subprocess.run(
        [sys.executable, run.__file__, "--only", "ruf"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "no gate is called 'ruf'; the gates are ruff, format, types, sql" in done.stderr


def test_the_list_names_every_gate_and_runs_none(capsys: pytest.CaptureFixture[str]):
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [each.name for each in GATES]
