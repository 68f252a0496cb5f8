"""What goes into the image, and what the steps of its build do, as far as they run without Docker."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.astro.project import PYTHON, ROOT, dockerfile, ignored_by_docker, run_step
from tests.dags.contract import broken, parse


def bash(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a RUN step as the Dockerfile's SHELL does, with the project's own Python in front."""
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": f"{PYTHON.parent}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_image_is_one_fixed_runtime_3_3_on_python_3_12():
    (base,) = (each.argument for each in dockerfile() if each.keyword == "FROM")
    name, _, tag = base.partition(":")
    assert name == "astrocrpublic.azurecr.io/runtime"
    release, python, kind = tag.split("-", 2)[0], tag.split("-python-")[1].split("-")[0], tag.rsplit("-", 1)[-1]
    assert (release, python, kind) == ("3.3", "3.12", "base")


def test_everything_the_dockerfile_copies_exists_and_reaches_the_build():
    sources = [
        source
        for each in dockerfile()
        if each.keyword == "COPY"
        for source in each.argument.split()[:-1]
        if not source.startswith("--")
    ]
    assert sources[-1] == "."
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources[:-1] if ignored_by_docker(source)] == []


NEEDED = [
    ".astro/config.yaml",
    ".astro/dag_integrity_exceptions.txt",
    ".astro/test_dag_integrity_default.py",
    "constraints.txt",
    "dags/def_support.py",
    "include/clients/def.yaml",
    "include/dbt/dbt_project.yml",
    "include/dbt/macros/naming.sql",
    "include/dbt/models/def/silver/def_pylon_issues.sql",
    "include/dbt/profiles.yml",
    "include/settings.py",
    "packages.txt",
    "requirements.txt",
]
KEPT_OUT = [
    ".data/warehouse/DEF_DB_LOCAL.duckdb",
    ".env",
    ".git/config",
    ".venv/bin/python",
    ".venv-lint/bin/python",
    "airflow_settings.yaml",
    "dags/__pycache__/def_support.cpython-312.pyc",
    "include/dbt/logs/dbt.log",
    "include/dbt/target/manifest.json",
]


@pytest.mark.parametrize("path", NEEDED)
def test_the_image_gets(path: str):
    assert (ROOT / path).is_file()
    assert not ignored_by_docker(path)


@pytest.mark.parametrize("path", KEPT_OUT)
def test_the_image_does_not_get(path: str):
    assert ignored_by_docker(path)


def test_every_file_below_include_and_dags_that_git_knows_is_in_the_image():
    listed = subprocess.run(
        ["git", "ls-files", "include", "dags", "plugins"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [path for path in listed.stdout.split() if ignored_by_docker(path)] == []


def test_packages_are_installed_without_their_comments(tmp_path: Path):
    (tmp_path / "packages.txt").write_text("# tools\ngit\nlibaio1  # for a driver\n\n")
    for name in ("apt-get", "rm"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (tmp_path / name).chmod(0o755)

    done = bash(f'PATH="{tmp_path}:$PATH"; {run_step("packages.txt")}', tmp_path)

    assert done.returncode == 0, done.stderr
    assert "apt-get install --yes --no-install-recommends git libaio1" in done.stdout.splitlines()


def test_nothing_is_installed_when_no_package_is_asked_for(tmp_path: Path):
    shutil.copy(ROOT / "packages.txt", tmp_path)
    done = bash(f"apt-get() {{ echo called; }}; {run_step('packages.txt')}", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_build_goes_on_with_the_airflow_that_is_pinned(tmp_path: Path):
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    done = bash(run_step("apache-airflow"), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_build_stops_with_a_sentence_on_another_airflow(tmp_path: Path):
    (tmp_path / "constraints.txt").write_text("aiohttp==3\napache-airflow==3.3.99\napache-airflow-core==3.3.2\n")
    done = bash(run_step("apache-airflow"), tmp_path)
    assert done.returncode == 1
    assert "constraints.txt pins 3.3.99: choose another 3.3-n tag" in done.stderr


@pytest.mark.integration
def test_the_manifests_built_into_the_image_serve_every_target(tmp_path: Path):
    """The build step run on what Docker would get, then the DAGs parsed from its result."""
    project = tmp_path / "airflow"
    for folder in ("dags", "include"):
        shutil.copytree(
            ROOT / folder,
            project / folder,
            ignore=lambda at, names: [
                name for name in names if ignored_by_docker(Path(at, name).relative_to(ROOT).as_posix())
            ],
        )
    clean = dict.fromkeys(("SUPPORT_DATA_DIR", "SUPPORT_TARGET", "SUPPORT_MANIFEST_DIR"), "")

    done = bash(run_step("include.orchestration.manifest"), project, **clean, DO_NOT_TRACK="1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in (project / ".data").iterdir()) == []
    for target in ("local", "dev", "prod"):
        artifacts = project / "artifacts" / target
        assert json.loads((artifacts / "built.json").read_text())["target"] == target
        assert (artifacts / "partial_parse.msgpack").stat().st_size > 0
    # the target furthest from the one everything else here is tested with
    environment = {"SUPPORT_TARGET": "prod", "SUPPORT_MANIFEST_DIR": str(project / "artifacts" / "prod")}
    facts = parse(ROOT / "dags", tmp_path, SUPPORT_DATA_DIR=str(tmp_path), **environment)
    assert "has_no_import_error" not in broken(facts)
