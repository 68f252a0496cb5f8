"""Pages of this project inside the Airflow UI, behind its login."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response

from include.serving.docs import docs_page

PREFIX = "/support"
NOT_YET = """<!doctype html><title>dbt docs</title><body style="font-family: sans-serif; margin: 4rem">
<h1>Not written yet</h1><p>The DAG <b>maintenance</b> writes this page every week. Trigger it to have it now.</p>"""
# The page runs its own script and nothing of Airflow's: it is kept apart from the session of who looks at it.
APART = {"Content-Security-Policy": "sandbox allow-scripts allow-popups allow-downloads", "Cache-Control": "no-store"}

app = FastAPI(
    dependencies=[Depends(requires_access_view(AccessView.DOCS))], docs_url=None, redoc_url=None, openapi_url=None
)


@app.get("/docs")
def dbt_docs() -> Response:
    """The documentation of every model and column, as dbt draws it."""
    page = docs_page()
    return FileResponse(page, headers=APART) if page.is_file() else HTMLResponse(NOT_YET, headers=APART)


class SupportPages(AirflowPlugin):
    """The pages, and where the UI shows them."""

    name = "support_pages"
    fastapi_apps: list[Any] = [{"app": app, "url_prefix": PREFIX, "name": "support"}]  # noqa: RUF012 - so Airflow has it
    external_views: list[Any] = [  # noqa: RUF012 - the same
        {
            "name": "Models (dbt docs)",
            "href": f"{PREFIX}/docs",
            "destination": "nav",
            "category": "browse",
            "url_route": "dbt-docs",
        }
    ]
