""".ci/run sets up, lints and tests, installs only what is missing, and fails when any of it fails."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """A machine that has these commands and no others; each writes down how it was called."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        self.project = folder / "project"
        self.bin.mkdir()
        (self.project / ".ci").mkdir(parents=True)
        shutil.copy2(ROOT / ".ci" / "run", self.project / ".ci" / "run")
        for tool in ("bash", "cat", "dirname"):
            found = shutil.which(tool)
            assert found
            (self.bin / tool).symlink_to(found)
        self.has("make", "apt-get", "sudo")
        self.is_user(0)

    def has(self, *names: str, script: str = "") -> None:
        for name in names:
            file = self.bin / name
            file.write_text(f'#!{self.bin}/bash\necho "{name} $*" >> {self.calls}\n{script}\n')
            file.chmod(0o755)

    def is_user(self, uid: int) -> None:
        (self.bin / "id").write_text(f"#!{self.bin}/bash\necho {uid}\n")
        (self.bin / "id").chmod(0o755)

    def run(self) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        done = subprocess.run(
            [str(self.project / ".ci" / "run")],
            cwd="/",
            env={"PATH": str(self.bin), "HOME": "/nowhere"},
            input="y\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done, self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


COMMANDS = ["make setup", "make lint", "make bench QUICK=1", "make test"]


def test_where_browser_and_driver_are_there_nothing_is_installed(machine: Machine):
    machine.has("chromium", "chromedriver")
    done, calls = machine.run()
    assert (done.returncode, calls) == (0, COMMANDS)
    assert "== passed after" in done.stdout


def test_what_is_missing_is_installed_after_an_update(machine: Machine):
    machine.has("chromium")
    done, calls = machine.run()
    assert done.returncode == 0
    assert calls == [
        "apt-get update --quiet",
        "apt-get install --quiet --yes --no-install-recommends chromium-driver",
        *COMMANDS,
    ]


def test_a_user_who_is_not_root_installs_with_sudo(machine: Machine):
    machine.is_user(1000)
    _, calls = machine.run()
    assert calls[:2] == [
        "sudo --non-interactive --preserve-env=DEBIAN_FRONTEND apt-get update --quiet",
        "sudo --non-interactive --preserve-env=DEBIAN_FRONTEND apt-get install --quiet --yes "
        "--no-install-recommends chromium chromium-driver",
    ]


@pytest.mark.parametrize("failing", ["setup", "lint", "bench", "test"])
def test_the_first_failure_ends_the_run_with_its_exit_code(machine: Machine, failing: str):
    machine.has("chromium", "chromedriver")
    machine.has("make", script=f'[ "$1" != {failing} ] || exit 7')
    done, calls = machine.run()
    assert done.returncode == 7
    last = next(number for number, command in enumerate(COMMANDS) if command.startswith(f"make {failing}"))
    assert calls == COMMANDS[: last + 1]
    assert "== FAILED with exit code 7 after" in done.stdout


def test_a_failing_installation_ends_the_run(machine: Machine):
    machine.has("apt-get", script="exit 100")
    done, calls = machine.run()
    assert (done.returncode, calls) == (100, ["apt-get update --quiet"])


def test_nothing_can_ask_a_question(machine: Machine):
    machine.has("chromium", "chromedriver")
    machine.has("make", script='read -r answer && echo "asked and got $answer" || true')
    done, _ = machine.run()
    assert "asked" not in done.stdout
