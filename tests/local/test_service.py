"""What the local stack changes about Airflow's API server: from where it takes a DAG's latest version."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy
from airflow.models import dagbag
from airflow.models.dag_version import DagVersion
from sqlalchemy.orm import Session

from include.local.service import use_the_cache


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which versions the cache is asked for, with Airflow put back afterwards."""
    versions: list[Any] = []
    monkeypatch.setattr(dagbag.DBDagBag, "get_latest_version_of_dag", dagbag.DBDagBag.get_latest_version_of_dag)
    monkeypatch.setattr(dagbag.DBDagBag, "get_dag", lambda _, version, session: versions.append(version) or "the dag")
    return versions


def test_airflow_still_asks_as_it_is_answered(asked: list[Any]) -> None:
    before = inspect.signature(dagbag.DBDagBag.get_latest_version_of_dag)
    use_the_cache()
    after = inspect.signature(dagbag.DBDagBag.get_latest_version_of_dag)
    assert [(p.name, p.kind) for p in before.parameters.values()][1:] == [
        (p.name, p.kind) for p in after.parameters.values()
    ][1:]


@pytest.mark.parametrize(("version", "dag"), [(SimpleNamespace(id="v2"), "the dag"), (None, None)])
def test_the_latest_version_comes_out_of_the_cache(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, version: Any, dag: str | None
) -> None:
    monkeypatch.setattr(DagVersion, "get_latest_version", lambda dag_id, session: version)
    use_the_cache()
    bag = dagbag.DBDagBag()
    with Session(sqlalchemy.create_engine("sqlite://")) as session:
        assert bag.get_latest_version_of_dag("def_support", session=session) == dag
    assert asked == ([version.id] if version else [])
