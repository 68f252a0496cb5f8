"""What dbt puts into Jinja and sqlfluff's own dbt builtins lack, so that the project's macros can be rendered offline.

Every name here is visible in a rendered model under that name (`library_path` in .sqlfluff). Rendering follows the
DuckDB branch of each dispatched macro, because that is the dialect the files are linted in.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context, missing

# dbt's own macros that are a query, not an expression
QUERIES = {"date_spine": "select current_date as date_day", "generate_series": "select 1 as generated_number"}


def call_of(name: str) -> Callable[..., str]:
    """A stand-in for a macro of dbt's own: its shape, so that what stands around it parses."""
    if query := QUERIES.get(name):
        return lambda *_args, **_named: query
    return lambda *args, **_: f"{name}({', '.join(map(str, args))})"


class Adapter:
    """`adapter.dispatch` as dbt-duckdb resolves it; introspection finds nothing."""

    @pass_context
    def dispatch(self, context: Context, macro_name: str, *_namespace: str, **_named: str) -> Any:
        for prefix in ("duckdb", "default"):
            macro = context.resolve_or_missing(f"{prefix}__{macro_name}")
            if macro is not missing:
                return macro
        return call_of(macro_name)

    def get_columns_in_relation(self, _relation: object) -> list[object]:
        return []

    def get_relation(self, **_parts: object) -> None:
        return None

    def quote(self, name: str) -> str:
        return f'"{name}"'


class Dbt:
    """The `dbt` namespace: dbt.dateadd(...) and its kin."""

    def __getattr__(self, name: str) -> Callable[..., str]:
        return call_of(name)


def env_var(name: str, default: str = "") -> str:
    return default or name.lower()


def do_nothing(*_args: object, **_named: object) -> str:
    return ""


adapter = Adapter()
dbt = Dbt()
api = SimpleNamespace(Relation=SimpleNamespace(create=lambda **parts: parts.get("identifier", "relation")))
log = do_nothing
exceptions = SimpleNamespace(raise_compiler_error=do_nothing, warn=do_nothing)
execute = False
flags = SimpleNamespace(FULL_REFRESH=False, WHICH="build")
invocation_id = "00000000-0000-0000-0000-000000000000"
model = SimpleNamespace(name="this_model", unique_id="model.support.this_model", config={}, columns={})
target = SimpleNamespace(name="local", type="duckdb", database="DEF_DB_LOCAL", schema="SILVER", threads=1)
