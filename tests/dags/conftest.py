"""The project's own DAG files, parsed once for every test that looks at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dags.contract import ROOT, Facts, data_with_manifest, parse


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_with_manifest(tmp_path_factory)


@pytest.fixture(scope="session")
def real(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return parse(ROOT / "dags", tmp_path_factory.mktemp("contract_home"), SUPPORT_DATA_DIR=str(data))
