"""Create the project's virtual environments. Standard library only: this runs before anything is installed.

`bootstrap.py run` makes `.venv` (what the project runs on), `bootstrap.py lint` makes `.venv-lint` (the lint tools,
whose pins do not fit beside the project's), `bootstrap.py bench` makes `.venv-bench` (what the project is measured
beside). An environment is complete when its stamp holds the checksum of the files it was made from; the stamp is
written last, so a set-up that was killed is simply done again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TYPE_CHECKING = False  # typing.TYPE_CHECKING without importing typing
if TYPE_CHECKING:
    from collections.abc import Iterator

REPO = Path(__file__).resolve().parents[2]
FITTING = ((3, 11), (3, 12))
CANDIDATES = ("python3.12", "python3.11", "python3", "python")
STAMP = ".ready"
SIGN_OF_LIFE = 30  # seconds between two lines while an installer is at work
# The base interpreter, not a virtual environment's: that one may be about to be replaced.
VERSION_PROBE = (
    "import sys; print('%d %d %s' % (*sys.version_info[:2], getattr(sys, '_base_executable', sys.executable)))"
)

# name -> (folder, requirement files, constraint file)
ENVIRONMENTS = {
    "run": (".venv", ("requirements.txt", "requirements-dev.txt"), "constraints.txt"),
    "lint": (".venv-lint", ("lint/requirements.txt",), "lint/constraints.txt"),
    "bench": (".venv-bench", ("benchmarks/requirements.txt",), "benchmarks/constraints.txt"),
}


class SetupError(Exception):
    """Something a person can put right; the message says what."""


def shown(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def probe(command: str) -> tuple[tuple[int, int], str] | None:
    """The version and the path of one interpreter, or None when it does not start (pyenv's shims may not)."""
    try:
        answer = subprocess.run([command, "-c", VERSION_PROBE], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    parts = answer.stdout.strip().split(" ", 2)
    if answer.returncode != 0 or len(parts) != 3:
        return None
    return (int(parts[0]), int(parts[1])), parts[2]


def choose_python(found: list[tuple[str, tuple[int, int], str]]) -> tuple[tuple[int, int], str]:
    """The first interpreter, in the order given, whose version fits; `found` is (command, version, real path)."""
    for _, version, path in found:
        if version in FITTING:
            return version, path
    seen = ", ".join(f"{command} is {shown(version)}" for command, version, _ in found) or "no python3 at all"
    raise SetupError(
        f"Python 3.11 or 3.12 is needed and none was found on PATH ({seen}). "
        "Install one, or put it first on PATH, and try again."
    )


def find_python() -> tuple[tuple[int, int], str]:
    """A fitting interpreter: the one running now, else the first on PATH."""
    found = []
    for command in (sys.executable, *CANDIDATES):
        answer = probe(command)
        if answer:
            found.append((command, *answer))
            if answer[0] in FITTING:
                break
    return choose_python(found)


def checksum(files: list[Path], version: tuple[int, int]) -> str:
    """What the environment depends on: the requirement files' bytes and the Python version."""
    digest = hashlib.sha256(f"python {shown(version)}\n".encode())
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


@contextlib.contextmanager
def only_one(repo: Path) -> Iterator[int]:
    """Hold the set-up lock, so that two set-ups started together do the work once; the folder is the lock file."""
    handle = os.open(repo, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is at work here; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def say(text: str) -> None:
    print("  setup          " + text, flush=True)


def call(command: list[str], env: dict[str, str], lock: int, what: str) -> None:
    """Run an installer quietly, with a sign of life now and then; its output is shown only when it fails."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        # The installer holds the lock too: if this process is killed, the next set-up waits for the installer's end.
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT, pass_fds=(lock,))
        while True:
            try:
                code = process.wait(timeout=SIGN_OF_LIFE)
                break
            except subprocess.TimeoutExpired:
                say(f"still {what}, {time.monotonic() - started:.0f} s so far")
        if code != 0:
            output.seek(0)
            said = [
                line for line in output.read().splitlines() if line.strip() and not line.startswith("WARNING: Location")
            ]
            raise SetupError("\n  ".join([f"{what} failed (exit {code}); its last lines were", *said[-20:]]))


def install(folder: Path, requirements: list[Path], constraints: Path, python: str, lock: int) -> None:
    """Make the environment anew and install into it."""
    if folder.exists():
        shutil.rmtree(folder)
    # Nothing outside the repo is touched: download caches stay inside, unless the person chose a place for them.
    env = dict(os.environ)
    env.setdefault("PIP_CACHE_DIR", str(folder / ".cache" / "pip"))
    env.setdefault("UV_CACHE_DIR", str(folder / ".cache" / "uv"))
    env.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONNOUSERSITE="1", DO_NOT_TRACK="1")
    env.pop("PYTHONPATH", None)
    env.pop("VIRTUAL_ENV", None)
    wanted = [argument for file in requirements for argument in ("-r", str(file))] + ["-c", str(constraints)]
    inside = str(folder / "bin" / "python")
    uv = shutil.which("uv")
    if uv:
        call([uv, "venv", "--quiet", "--python", python, str(folder)], env, lock, f"creating {folder.name} with uv")
        call(
            [uv, "pip", "install", "--compile-bytecode", "--python", inside, *wanted],
            env,
            lock,
            "installing the dependencies with uv",
        )
    else:
        # Where Python comes in pieces (Debian, Ubuntu), the error shown names the package to install.
        call([python, "-m", "venv", str(folder)], env, lock, f"creating {folder.name} with {python} -m venv")
        call([inside, "-m", "pip", "install", *wanted], env, lock, "installing the dependencies with pip")
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def ensure(name: str, repo: Path = REPO) -> bool:
    """Bring one environment up to date; True when anything had to be installed."""
    folder_name, requirement_names, constraint_name = ENVIRONMENTS[name]
    folder = repo / folder_name
    files = [repo / file for file in (*requirement_names, constraint_name)]
    for file in files:
        if not file.is_file():
            raise SetupError(f"{file.relative_to(repo)} is missing; the environment {folder_name} is made from it.")
    stamp = folder / STAMP
    with only_one(repo) as lock:
        present = probe(str(folder / "bin" / "python")) if stamp.is_file() else None
        if present and stamp.read_text().strip() == checksum(files, present[0]):
            stamp.touch()
            return False
        version, python = find_python()
        started = time.monotonic()
        installer = "uv" if shutil.which("uv") else "pip"
        reason = "the requirements changed" if present else "first time, a few minutes"
        say(f"installing into {folder_name} with Python {shown(version)} and {installer} ({reason})")
        install(folder, files[:-1], files[-1], python, lock)
        stamp.write_text(checksum(files, version) + "\n")
        say(f"{folder_name} is ready after {time.monotonic() - started:.0f} s")
        return True


def main(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "run"
    verbose = "--say" in arguments
    try:
        changed = ensure(name)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("setup: stopped; the next command starts it again from the beginning", file=sys.stderr)
        return 130
    if verbose and not changed:
        say(f"{ENVIRONMENTS[name][0]} is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
