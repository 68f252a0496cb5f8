"""Every text the project sends to Snowflake, written out for the gate to read: no account is asked anything.

    .venv/bin/python lint/snowflake_texts.py FOLDER COMMAND ...

Models, hooks and tests as dbt-snowflake renders them for an increment, which has all that the first build has. A copy
of the project is rendered, with two macros replaced by ones that know without asking what is there. What then reads the
texts is given with its arguments, and is called with the folder of the texts as the last.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "include" / "dbt"
OFFLINE = ROOT / "tests" / "dbt" / "snowflake"


def render(folder: Path) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    copy = folder / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copytree(OFFLINE, copy, dirs_exist_ok=True)
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt")), "--quiet", "--no-version-check", "compile"),
            *("--target", "dev", "--no-populate-cache", "--no-introspect", "--vars", "{pretend_incremental: true}"),
            *("--select", "resource_type:model", "resource_type:test"),
            *("--project-dir", str(copy), "--profiles-dir", str(copy)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ],
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        check=False,
    )
    return done.returncode


def main() -> int:
    folder, *command = sys.argv[1:]
    if failed := render(Path(folder)):
        return failed
    return subprocess.run([*command, f"{folder}/target/compiled"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
