"""Pages of this project inside the Airflow UI, behind its login."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag, requires_access_view
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf
from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response

from include.serving.docs import docs_page
from include.serving.task_page import task_page

PREFIX = "/support"
NOT_YET = """<!doctype html><title>dbt docs</title><body style="font-family: sans-serif; margin: 4rem">
<h1>Not written yet</h1><p>The DAG <b>maintenance</b> writes this page every week. Trigger it to have it now.</p>"""
# The page runs its own script and nothing of Airflow's: it is kept apart from the session of who looks at it.
APART = {"Content-Security-Policy": "sandbox allow-scripts allow-popups allow-downloads", "Cache-Control": "no-store"}
# A page of text needs nothing but its own style.
TEXT = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}

app = FastAPI(
    dependencies=[Depends(requires_access_view(AccessView.DOCS))], docs_url=None, redoc_url=None, openapi_url=None
)


@app.get("/docs")
def dbt_docs() -> Response:
    """The documentation of every model and column, as dbt draws it."""
    page = docs_page()
    return FileResponse(page, headers=APART) if page.is_file() else HTMLResponse(NOT_YET, headers=APART)


@app.get(
    "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}",
    dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.TASK_LOGS))],
)
def dbt_task(dag_id: str, run_id: str, task_id: str) -> Response:
    """What the build of a run did for one dbt task."""
    try:
        return HTMLResponse(task_page(dag_id, run_id, task_id), headers=TEXT)
    except ValueError:
        return Response(status_code=404)


def named(operator: str) -> type:
    """Airflow matches links to operators by name, and Cosmos is a lot to import for a name."""
    return type(operator, (), {"__module__": "cosmos.operators.local"})


class BuildLink(BaseOperatorLink):
    """From a dbt task to what the build did for it. Known before the task runs, and if it never does."""

    name = "SQL and build log"
    operators = [named(f"Dbt{verb}LocalOperator") for verb in ("Run", "Test", "Seed", "Snapshot")]  # noqa: RUF012

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - the signature is Airflow's
        """Where that page is."""
        dag_id, run_id, task_id = (quote(part, safe="") for part in (ti_key.dag_id, ti_key.run_id, ti_key.task_id))
        base = conf.get("api", "base_url", fallback="").rstrip("/")
        return f"{base}{PREFIX}/dags/{dag_id}/runs/{run_id}/tasks/{task_id}"


class SupportPages(AirflowPlugin):
    """The pages, and where the UI shows them."""

    name = "support_pages"
    fastapi_apps: list[Any] = [{"app": app, "url_prefix": PREFIX, "name": "support"}]  # noqa: RUF012 - so Airflow has it
    operator_extra_links: list[Any] = [BuildLink()]  # noqa: RUF012 - the same
    external_views: list[Any] = [  # noqa: RUF012 - the same
        {
            "name": "Models (dbt docs)",
            "href": f"{PREFIX}/docs",
            "destination": "nav",
            "category": "browse",
            "url_route": "dbt-docs",
        }
    ]
