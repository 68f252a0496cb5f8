"""The plugin's pages inside the Airflow UI."""

from __future__ import annotations

import pytest
import requests

from tests.e2e.conftest import Served

pytestmark = pytest.mark.e2e


def test_the_documentation_is_behind_the_login_and_apart_from_the_session(served: Served) -> None:
    page = f"{served.url}/support/docs"
    assert requests.get(page, timeout=30).status_code == 401
    assert requests.get(page, headers={"Authorization": "Bearer nonsense"}, timeout=30).status_code in (401, 403)
    body = {"username": served.user, "password": served.password}
    token = requests.post(f"{served.url}/auth/token", json=body, timeout=30).json()["access_token"]
    seen = requests.get(page, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert seen.status_code == 200
    assert "sandbox" in seen.headers["Content-Security-Policy"]
    assert "allow-same-origin" not in seen.headers["Content-Security-Policy"]
    assert "<!doctype html>" in seen.text.lower()


def test_the_plugin_offers_nothing_else(served: Served) -> None:
    for path in ("/support/", "/support/openapi.json", "/support/docs/../x", "/support/redoc"):
        assert requests.get(f"{served.url}{path}", timeout=30).status_code in (401, 404)
