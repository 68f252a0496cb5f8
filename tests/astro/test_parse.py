"""What `astro dev parse` runs finds every DAG file importable, and a broken one not."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.astro.project import PYTHON, ROOT
from tests.dags.contract import data_with_manifest

pytestmark = pytest.mark.integration

UNCONFIGURED = """
import os
from airflow.sdk import BaseHook, DAG, Variable
with DAG("unconfigured", schedule=None):
    assert BaseHook.get_connection("nobody_made_this").host is None
    assert Variable.get("nor_this") and Variable.get("nor_this_one", deserialize_json=True) == {}
    assert Variable.get("this_has_a_default", default=7) == 7
    assert os.getenv("AND_NOT_THIS") == "MOCKED_AND_NOT_THIS_VALUE" and os.getenv("X_Y_Z", "d") == "d"
"""


def dev_parse(dags: Path, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider", ".astro/test_dag_integrity_default.py"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_dags_import_where_no_connection_variable_or_environment_is_set(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    data = data_with_manifest(tmp_path_factory)
    done = dev_parse(ROOT / "dags", tmp_path, SUPPORT_DATA_DIR=str(data))
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_file_that_asks_for_what_is_not_configured_imports(tmp_path: Path):
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "unconfigured.py").write_text(UNCONFIGURED)
    done = dev_parse(dags, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_broken_file_fails_and_is_named(tmp_path: Path):
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "unconfigured.py").write_text(UNCONFIGURED)
    (dags / "broken.py").write_text("from airflow.sdk import DAG\nfrom nowhere import nothing\n")
    done = dev_parse(dags, tmp_path)
    assert done.returncode == 1
    assert "broken.py does not import" in done.stdout
    assert "No module named 'nowhere'" in done.stdout
