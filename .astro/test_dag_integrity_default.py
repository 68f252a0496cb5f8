"""What `astro dev parse` runs in the image: every DAG file imports where nothing is configured yet.

Connections, Variables and unset environment variables are stand-ins, so a file that needs the real ones while it is
parsed still imports; a file that is broken does not. The Astro CLI looks for this file under this name.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import BaseHook, Connection, Variable

EXCEPTIONS = Path(__file__).with_name("dag_integrity_exceptions.txt")


def a_connection(conn_id: str, *_args: object, **_named: object) -> Connection:
    return Connection(conn_id=conn_id, conn_type="generic")


def a_variable(_key: str, *defaults: Any, deserialize_json: bool = False, **named: Any) -> Any:
    for name in ("default", "default_var"):
        if name in named:
            return named[name]
    if defaults:
        return defaults[0]
    return {} if deserialize_json else "a variable nobody set"


def an_environment_variable(key: str, default: str | None = None) -> str:
    return os.environ.get(key) or default or f"MOCKED_{key.upper()}_VALUE"


@pytest.fixture(scope="module")
def bag() -> Iterator[DagBag]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseHook, "get_connection", a_connection)
        patch.setattr(Connection, "get", a_connection)
        patch.setattr(Variable, "get", a_variable)
        patch.setattr(os, "getenv", an_environment_variable)
        yield DagBag()


def test_every_dag_file_imports(bag: DagBag):
    lines = (line.strip() for line in EXCEPTIONS.read_text(encoding="utf-8").splitlines())
    excused = {Path(line).name for line in lines if line and not line.startswith("#")}
    broken = {path: error for path, error in bag.import_errors.items() if Path(path).name not in excused}
    assert not broken, "\n".join(f"{path} does not import:\n{error}" for path, error in broken.items())


def test_there_are_dags(bag: DagBag):
    assert bag.dags, f"no DAG was found in {bag.dag_folder}"
