"""The page of one dbt task: what the build of its run did for it. Everything on it is text, whatever it contains."""

from __future__ import annotations

from html import escape

from include.serving.builds import Journal, NodeRecord
from include.settings import settings

_HEAD = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; }}
h1 {{ font-size: 1.3rem; }} h2 {{ font-size: 1.05rem; margin-top: 2rem; }} h3 {{ font-size: .9rem; }}
p {{ margin: .3rem 0; }} .bad {{ color: #a40000; }}
pre {{ background: #f4f4f4; border: 1px solid #ddd; padding: .8rem; overflow-x: auto; white-space: pre-wrap; }}
</style>"""
_NOTHING = "<p>No build of this run has got to what this task shows. What it did by itself is in its log.</p>"


def task_page(dag_id: str, run_id: str, task_id: str) -> str:
    """What the build of a run did for a task: how each of its nodes ended, its compiled SQL, what dbt said of it."""
    kept = Journal(settings().runs_dir, dag_id, run_id).read()
    nodes = [node for _, node in sorted(kept.nodes.items()) if task_id in node.tasks]
    title = escape(f"{task_id} of {dag_id}")
    parts = [_HEAD.format(title=title), f"<h1>{title}</h1><p>Run {escape(run_id)}</p>"]
    parts += [_node(node) for node in nodes] or [_NOTHING]
    return "".join(parts)


def _node(node: NodeRecord) -> str:
    rows = "" if node.rows is None else f", {node.rows} rows"
    bad = "" if node.is_green else ' class="bad"'
    parts = [
        f"<h2>{escape(node.unique_id)}</h2>",
        f"<p{bad}><b>{escape(node.status)}</b> in {node.seconds:.2f} s{rows}, by {escape(node.built_by)}</p>",
        f"<p{bad}>{escape(node.message)}</p>",
    ]
    if node.sql:
        parts.append(f"<h3>Compiled SQL</h3><pre>{escape(node.sql.strip())}</pre>")
    if node.log:
        parts.append(f"<h3>What dbt said of it</h3><pre>{escape(chr(10).join(node.log))}</pre>")
    return "".join(parts)
