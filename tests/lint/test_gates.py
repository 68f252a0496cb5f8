"""Every gate, run as `make lint` runs it on a copy of this project, fails on a violation planted for it.

dag-contract is left out: it is tests/dags/test_dag_contract.py, which plants violations of its own.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lint.run import GATES

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
LINT_PYTHON = ROOT / ".venv-lint" / "bin" / "python"

# gate → (file, what is put at its end, what the gate says)
PLANTED = [
    ("ruff", "include/planted.py", "import os\n", "F401"),
    ("ruff", "dags/planted.py", 'from airflow.sdk import DAG\n\nDAG("planted")\n', "AIR002"),
    ("ruff", "dags/planted.py", "from airflow.operators.bash import BashOperator\n\nBashOperator()\n", "AIR312"),
    ("format", "include/planted.py", "x = {  'a':1 }\n", "would be reformatted --> include/planted.py"),
    ("types", "include/planted.py", "def f(x):\n    return x\n", "Function is missing a type annotation"),
    ("sql", "include/dbt/models/def/gold/planted.sql", "SELECT 1 as x\n", "Keywords must be lower case"),
    ("sql", "include/dbt/models/def/gold/planted.sql", "select {{ no_such_macro() }}\n", "no_such_macro"),
    ("dbt-parse", "include/dbt/models/def/gold/planted.sql", "select * from {{ ref('nothing') }}\n", "nothing"),
    (
        "dbt-parse",
        "include/dbt/models/def/gold/planted.yml",
        "models:\n  - name: planted\n",
        "Did not find matching node for patch with name 'planted'",
    ),
    (
        "dbt-deprecations",
        "include/dbt/models/def/gold/fct_def_tickets.yml",
        "    planted_key: 1\n",
        "CustomKeyInObjectDeprecation",
    ),
    (
        "dbt-deprecations",
        "include/dbt/models/def/gold/planted.sql",
        "{{ config(planted_key=1) }} select 1 as x\n",
        "CustomKeyInConfigDeprecation",
    ),
    ("dbt-bouncer", "include/dbt/models/def/gold/planted.sql", "select 1 as x\n", "check_model_has_properties_file"),
    (
        "manifest-rules",
        "include/dbt/models/def/gold/rpt_def_planted.sql",
        "select * from {{ ref('fct_def_tickets') }}\n",
        "layers_read_what_they_may: rpt_def_planted reads fct fct_def_tickets",
    ),
    ("dbt-sources", "include/dbt/models/def/_def__sources.yml", "# edited by hand\n", "_def__sources.yml"),
    ("secrets", ".env.example", "PLAIN_DEF_TOKEN=plain" + "ApiKey_0f3b9c\n", ".env.example:"),
    ("dockerfile", "Dockerfile", "RUN cd /tmp && apt-get install curl\n", "DL3003"),
    ("dockerfile", "Dockerfile", "COPPY a b\n", "unexpected 'C'"),
    ("yaml", "include/clients/def.yaml", "code: def\n", 'duplication of key "code"'),
]


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
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    return project


@pytest.fixture
def planted(copy: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    _, name, text, _ = request.param
    path = copy / name
    before = path.read_bytes() if path.exists() else None
    path.write_bytes((before or b"") + text.encode())
    yield copy
    if before is None:
        path.unlink()
    else:
        path.write_bytes(before)


def lint(project: Path, gate: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(project / ".venv-lint" / "bin" / "python"), "lint/run.py", "--only", gate],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "HOME": str(project)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("planted", "gate", "said"),
    [pytest.param(case, case[0], case[3], id=f"{case[0]}: {case[3]}") for case in PLANTED],
    indirect=["planted"],
)
def test_a_gate_fails_on_what_was_planted_for_it(planted: Path, gate: str, said: str):
    done = lint(planted, gate)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"gates failed: {gate}" in done.stdout
    assert said in " ".join(done.stdout.split())


def test_every_gate_has_something_planted_for_it():
    assert {gate.name for gate in GATES} - {"dag-contract"} == {case[0] for case in PLANTED}


def test_the_projects_own_manifest_breaks_no_rule(copy: Path):
    done = lint(copy, "manifest-rules")
    assert done.returncode == 0, done.stdout + done.stderr
