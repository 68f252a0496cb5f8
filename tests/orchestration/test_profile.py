"""Cosmos reads the profile by itself, and more simply than dbt does, to name the tables in the assets it gives out."""

from __future__ import annotations

import pytest
from cosmos import ProfileConfig
from cosmos.dataset import get_dataset_namespace

from include.settings import DBT_PROJECT_DIR


@pytest.mark.parametrize(
    ("target", "variable", "value", "namespace"),
    [
        ("local", "SUPPORT_DATA_DIR", "/srv/data", "duckdb:///srv/data/warehouse/CORE_DB_LOCAL.duckdb"),
        ("prod", "SNOWFLAKE_ACCOUNT", "acme-eu", "snowflake://acme-eu"),
    ],
)
def test_every_engine_has_a_name_for_its_tables(
    monkeypatch: pytest.MonkeyPatch, target: str, variable: str, value: str, namespace: str
) -> None:
    monkeypatch.setenv(variable, value)
    profile = ProfileConfig(
        profile_name="default", target_name=target, profiles_yml_filepath=DBT_PROJECT_DIR / "profiles.yml"
    )
    assert get_dataset_namespace(profile) == namespace
