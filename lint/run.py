"""Run the project's gates, as many at a time as there are cores; the exit code is 0 only when every one passed.

    .venv-lint/bin/python lint/run.py            all gates (what `make lint` does)
    .venv-lint/bin/python lint/run.py --list     their names and what each catches
    .venv-lint/bin/python lint/run.py --only types,sql

Linters live in the environment that runs this file; what has to import the project (dbt, the manifest rules, the
DAG contract, mypy's imports) uses the project's own `.venv`. Only the standard library is imported here, so a broken
linter is a failing gate and not a traceback.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINT_BIN = Path(sys.executable).parent  # not resolved: in a virtual environment that would leave it
VENV_BIN = ROOT / ".venv" / "bin"
SCRATCH = Path(os.environ.get("SUPPORT_DATA_DIR") or ROOT / ".data").absolute() / "lint"
MANIFEST = SCRATCH / "target" / "manifest.json"

COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # NO_COLOR is a request that dbt-bouncer does not grant
QUIET_TOOLS = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "SCARF_NO_ANALYTICS": "1",
    "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "NO_COLOR": "1",
    "COLUMNS": "160",
}


@dataclass(frozen=True)
class Gate:
    """A name, what it catches, the command that decides, and the gates whose output it reads."""

    name: str
    catches: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


def lint_tool(name: str, *args: str) -> tuple[str, ...]:
    return (str(LINT_BIN / name), *args)


def main_python(*args: str) -> tuple[str, ...]:
    return (str(VENV_BIN / "python"), *args)


def dbt_parse(target: str, output: Path) -> tuple[str, ...]:
    """A parse in which every warning and every deprecation is an error."""
    return (
        *(str(VENV_BIN / "dbt"), "--quiet", "--no-use-colors", "--no-partial-parse", "parse", "--target", target),
        *("--warn-error-options", '{"error": "all"}', "--show-all-deprecations"),
        *("--project-dir", "include/dbt", "--profiles-dir", "include/dbt"),
        *("--target-path", str(output), "--log-path", str(SCRATCH / "logs")),
    )


GATES = (
    Gate("ruff", "bugs, unsafe calls, Airflow 2 habits (AIR rules)", lint_tool("ruff", "check", ".")),
    Gate("format", "Python not formatted by `ruff format`", lint_tool("ruff", "format", "--check", ".")),
    Gate(
        "types",
        "type errors in include/ (mypy, strict)",
        lint_tool("mypy", "--python-executable", str(VENV_BIN / "python")),
    ),
    Gate(
        "sql",
        "SQL style in the dbt project (sqlfluff, .sqlfluff)",
        lint_tool("sqlfluff", "lint", "--disable-progress-bar", "include/dbt/models", "include/dbt/tests"),
    ),
    Gate("dbt-parse", "a dbt project that does not parse or warns", dbt_parse("local", MANIFEST.parent)),
    Gate(
        "dbt-deprecations",
        "what dbt deprecates and keys it does not know; it looks for neither on DuckDB, so this parses for Snowflake",
        dbt_parse("dev", SCRATCH / "target-dev"),
    ),
    Gate(
        "snowflake",
        "SQL that is not Snowflake's: two grammars and a list of functions (lint/snowflake_gate.py)",
        main_python(
            *("lint/snowflake_texts.py", str(SCRATCH / "snowflake")), *lint_tool("python", "lint/snowflake_gate.py")
        ),
    ),
    Gate(
        "dbt-bouncer",
        "undocumented, untested or unowned dbt resources (lint/dbt-bouncer.yml)",
        lint_tool("dbt-bouncer", "run", "--config-file", "lint/dbt-bouncer.yml", "--show-all-failures"),
        needs=("dbt-parse",),
        env={"DBT_PROJECT_DIR": str(SCRATCH)},  # dbt-bouncer reads $DBT_PROJECT_DIR/target/manifest.json
    ),
    Gate(
        "manifest-rules",
        "a model that breaks a medallion rule (lint/manifest_rules.py)",
        main_python("lint/manifest_rules.py", str(MANIFEST)),
        needs=("dbt-parse",),
    ),
    Gate(
        "acceptance",
        "a rule of the acceptance list without a row, or a row that names what does not exist (lint/acceptance.py)",
        main_python("lint/acceptance.py", str(MANIFEST)),
        needs=("dbt-parse",),
    ),
    Gate(
        "dbt-sources",
        "dbt source YAML that no longer matches the streams it is generated from",
        main_python("-m", "include.orchestration.dbt_sources", "--check"),
    ),
    Gate(
        "scorecard",
        "docs/scorecard.md that no longer says what is incremental, or a full scan without a reason",
        main_python("-m", "include.orchestration.scorecard", "--check"),
    ),
    Gate(
        "benchmarks",
        "a number in a document that benchmarks/results does not hold, or a results page that is older than they are",
        main_python("lint/benchmarks.py"),
    ),
    Gate(
        "dag-contract",
        "a DAG without owner, tags, docs, schedule or retries, or one that is slow or does I/O when parsed",
        main_python("-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "tests/dags/test_dag_contract.py"),
    ),
    Gate(
        "secrets",
        "a token, a password or a private key in any file of the repository (lint/secret_scan.py)",
        lint_tool("python", "lint/secret_scan.py"),
    ),
    Gate(
        "dockerfile",
        "mistakes in the Dockerfile (hadolint)",
        lint_tool("hadolint", "--config", "lint/hadolint.yaml", "Dockerfile"),
    ),
    Gate(
        "yaml",
        "YAML that is malformed or says a key twice (yamllint)",
        lint_tool("yamllint", "--strict", "--config-file", "lint/yamllint.yml", "."),
    ),
)


def with_needs(names: Sequence[str], gates: Sequence[Gate]) -> list[Gate]:
    """The gates asked for, and those whose output they read, in their usual order."""
    by_name = {gate.name: gate for gate in gates}
    wanted: set[str] = set()
    for name in names:
        wanted.update({name, *by_name[name].needs})
    return [gate for gate in gates if gate.name in wanted]


def run_gate(gate: Gate) -> tuple[bool, str]:
    """Whether the gate passed, and everything its command said."""
    try:
        done = subprocess.run(
            gate.command,
            cwd=ROOT,
            env={**os.environ, **QUIET_TOOLS, **gate.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        return False, f"{gate.command[0]} could not be started ({error.strerror}): run `make setup` and `make lint`"
    return done.returncode == 0, COLOUR.sub("", done.stdout)


def run_all(gates: Sequence[Gate]) -> list[str]:
    """Run every gate, say how each went, in their order, and return the names of those that failed."""
    running: dict[str, Future[tuple[bool, str, float]]] = {}

    def attempt(gate: Gate) -> tuple[bool, str, float]:
        # What a gate needs stands before it and so has begun; waiting for it cannot take the last worker from it.
        broken = [name for name in gate.needs if not running[name].result()[0]]
        started = time.monotonic()
        passed, output = (False, f"not run: it reads what {broken[0]} makes\n") if broken else run_gate(gate)
        return passed, output, time.monotonic() - started

    failed: list[str] = []
    width = max(len(gate.name) for gate in gates)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for gate in gates:
            running[gate.name] = workers.submit(attempt, gate)
        for gate in gates:
            passed, output, seconds = running[gate.name].result()
            print(
                f"{gate.name:<{width}}  {seconds:6.1f} s  {'ok' if passed else 'FAILED  ' + gate.catches}", flush=True
            )
            if not passed:
                failed.append(gate.name)
                print("".join(f"    {line}\n" for line in output.splitlines()), end="", flush=True)
    return failed


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lint/run.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", metavar="NAME[,NAME]", help="run these gates, and what they need")
    parser.add_argument("--list", action="store_true", help="print every gate and what it catches, and stop")
    args = parser.parse_args(argv)

    names = [gate.name for gate in GATES]
    if args.list:
        for gate in GATES:
            print(f"{gate.name:<15} {gate.catches}")
        return 0
    asked = args.only.split(",") if args.only else names
    if unknown := [name for name in asked if name not in names]:
        parser.error(f"no gate is called {unknown[0]!r}; the gates are {', '.join(names)}")

    gates = with_needs(asked, GATES)
    started = time.monotonic()
    failed = run_all(gates)
    verdict = f"{len(failed)} of {len(gates)} gates failed: {', '.join(failed)}" if failed else f"{len(gates)} gates ok"
    print(f"{verdict} ({time.monotonic() - started:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
