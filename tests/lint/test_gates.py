"""Every gate, run as `make lint` runs it on a copy of this project, fails on a violation planted for it.

dag-contract is left out: it is tests/dags/test_dag_contract.py, which plants violations of its own.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lint.run import GATES

# All gates run once, and on a busy machine they take their time.
PATIENCE = 2400
pytestmark = [pytest.mark.integration, pytest.mark.timeout(PATIENCE + 300)]

ROOT = Path(__file__).resolve().parents[2]
LINT_PYTHON = ROOT / ".venv-lint" / "bin" / "python"

# what the gate is called, the file, what is put at its end, what the gate says; all planted together
PLANTED = [
    ("ruff", "include/planted.py", "import os\n", "F401"),
    ("ruff", "dags/planted.py", 'from airflow.sdk import DAG\n\nDAG("planted")\n', "AIR002"),
    ("ruff", "dags/planted_2.py", "from airflow.operators.bash import BashOperator\n\nBashOperator()\n", "AIR312"),
    ("format", "include/planted_2.py", "x = {  'a':1 }\n", "would be reformatted --> include/planted_2.py"),
    ("types", "include/planted_3.py", "def f(x):\n    return x\n", "Function is missing a type annotation"),
    ("sql", "include/dbt/models/def/gold/planted.sql", "SELECT 1 as x\n", "Keywords must be lower case"),
    (
        "dbt-deprecations",
        "include/dbt/models/def/gold/planted_3.sql",
        "{{ config(planted_key=1) }}\nselect 1 as x\n",
        "CustomKeyInConfigDeprecation",
    ),
    (
        "snowflake",
        "include/dbt/models/def/gold/planted_4.sql",
        "select strftime(current_date, '%Y') as x\n",
        "function STRFTIME is unknown",
    ),
    ("dbt-bouncer", "include/dbt/models/def/gold/planted_2.sql", "select 1 as x\n", "check_model_has_properties_file"),
    (
        "manifest-rules",
        "include/dbt/models/def/gold/rpt_def_planted.sql",
        "select * from {{ ref('fct_def_tickets') }}\n",
        "layers_read_what_they_may: rpt_def_planted reads fct fct_def_tickets",
    ),
    (
        "acceptance",
        "docs/acceptance.md",
        "| S4-001 | again | proved | `rule:no_such_rule` |\n",
        "S4-001 has 2 rows S4-001 names rule:no_such_rule, which does not exist",
    ),
    ("dbt-sources", "include/dbt/models/def/_def__sources.yml", "# edited by hand\n", "_def__sources.yml"),
    ("scorecard", "docs/scorecard.md", "edited by hand\n", "scorecard.md is out of date"),
    (
        "benchmarks",
        "docs/runbook.md",
        "[3 s](../benchmarks/README.md#gold-build)\n",
        "docs/runbook.md: [3 s] is no figure of gold-build",
    ),
    ("secrets", ".env.example", "PLAIN_DEF_TOKEN=plain" + "ApiKey_0f3b9c77e1\n", ".env.example:"),
    ("dockerfile", "Dockerfile", "RUN cd /tmp && apt-get install curl\n", "DL3003"),
    ("yaml", "include/clients/def.yaml", "code: def\n", 'duplication of key "code"'),
]
# a project that does not parse keeps the gates that read its manifest from running, so this one is planted alone
UNPARSED = (
    "include/dbt/models/def/gold/planted.yml",
    "models:\n  - name: planted\n",
    "Did not find matching node for patch with name 'planted'",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git would commit, with the same environments beside it."""
    assert LINT_PYTHON.exists(), "the lint tools are not installed: run `make lint` once"
    project = tmp_path_factory.mktemp("project")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split("\0"):
        if (ROOT / name).is_file():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, project / name)
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", project / ".mypy_cache")
    (project / ".venv").symlink_to(Path(sys.executable).parents[1])
    (project / ".venv-lint").symlink_to(ROOT / ".venv-lint")
    # The rest is in order, as `make lint` says, and takes minutes to read.
    (project / "include" / "dbt" / ".sqlfluffignore").write_text("*.sql\n!planted.sql\n")
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    return project


@contextmanager
def planted(project: Path, violations: list[tuple[str, str]]) -> Iterator[None]:
    before = {name: (project / name).read_bytes() if (project / name).exists() else None for name, _ in violations}
    for name, text in violations:
        (project / name).write_bytes((before[name] or b"") + text.encode())
    try:
        yield
    finally:
        for name, content in before.items():
            if content is None:
                (project / name).unlink()
            else:
                (project / name).write_bytes(content)


def lint(project: Path, gates: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(project / ".venv-lint" / "bin" / "python"), "lint/run.py", "--only", gates],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "HOME": str(project)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.fixture(scope="module")
def said(copy: Path) -> dict[str, str]:
    """What each gate said with everything planted, on one line."""
    gates = [gate.name for gate in GATES if gate.name != "dag-contract"]
    with planted(copy, [(name, text) for _, name, text, _ in PLANTED]):
        done = lint(copy, ",".join(gates))
    assert done.returncode == 1, done.stdout + done.stderr
    parts: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            name = line.split()[0]
        parts.setdefault(name, []).append(line)
    return {name: " ".join(" ".join(lines).split()) for name, lines in parts.items()}


@pytest.mark.parametrize(("gate", "finding"), [(gate, finding) for gate, _, _, finding in PLANTED])
def test_a_gate_fails_on_what_was_planted_for_it(said: dict[str, str], gate: str, finding: str):
    assert " FAILED " in said[gate]
    assert finding in said[gate]


def test_a_dbt_project_that_does_not_parse_fails_the_gate_and_those_that_read_its_manifest(copy: Path):
    name, text, finding = UNPARSED
    with planted(copy, [(name, text)]):
        done = lint(copy, "manifest-rules,dbt-bouncer")
    assert done.returncode == 1
    assert "3 of 3 gates failed: dbt-parse, dbt-bouncer, manifest-rules" in done.stdout
    assert finding in " ".join(done.stdout.split())


def test_every_gate_has_something_planted_for_it():
    assert {gate.name for gate in GATES} - {"dag-contract", "dbt-parse"} == {gate for gate, _, _, _ in PLANTED}


def test_the_projects_own_manifest_breaks_no_rule(copy: Path):
    done = lint(copy, "manifest-rules")
    assert done.returncode == 0, done.stdout + done.stderr
