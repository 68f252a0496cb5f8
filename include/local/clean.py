"""`make clean`: remove what the commands made, after saying what. Standard library only: it must work without .venv."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from include.local.folder import REPO, Place, StackError, hold, shown

MADE_BY_COMMANDS = ("airflow", "cache", "dbt", "landing", "leases", "serving", "simulators", "warehouse")
DROP = "drop"  # a person's files, unless the simulated vendors put them there
ENVIRONMENTS = (".venv", ".venv-lint", ".venv-bench")


def size(path: Path) -> int:
    """Bytes below a path; links are not followed."""
    if path.is_file() or path.is_symlink():
        return path.lstat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())


def megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def clean(everything: bool, data: Path, repo: Path = REPO) -> int:
    """Remove the data folder's contents, and with `everything` the environments too."""
    place = Place(data)
    doomed = [repo / name for name in ENVIRONMENTS if everything and (repo / name).exists()]
    if place.lock.is_file():  # the mark of a folder the commands have used
        with hold(place, "make clean"):
            names = MADE_BY_COMMANDS + ((DROP,) if place.simulators.is_dir() else ())
            remove([data / name for name in names if (data / name).exists()])
            place.lock.unlink()
        if not any(data.iterdir()):
            data.rmdir()
    elif not doomed:
        print(f"  nothing to clean: {shown(data)} holds nothing the commands made")
    remove(doomed)
    return 0


def remove(paths: list[Path]) -> None:
    for path in paths:
        print(f"  removing {shown(path)}  ({megabytes(size(path))})", flush=True)
        shutil.rmtree(path)


def main() -> int:
    data = Path(os.environ.get("SUPPORT_DATA_DIR") or REPO / ".data").expanduser().absolute()
    try:
        return clean("all" in sys.argv[1:], data)
    except StackError as error:
        print(f"clean: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
