"""Fast-forward: one `dbt build` does the work of every dbt task, and closes each as its nodes turn green.

The tasks stay ordinary Cosmos tasks in LOCAL mode, downstream of this one. A task that is closed from here never starts
a process. A task whose node failed or was skipped stays open and runs as the task it is: with its own log, its own
retries, and Airflow's own rules for what is downstream of it. Clearing a model runs just that model; clearing it
together with this task builds every cleared one in one go.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException
from cosmos.dataset import compute_model_outlet_uris, get_dataset_namespace
from cosmos.dbt.project import environ
from cosmos.operators.local import DbtBuildLocalOperator

from include.orchestration.airflow_api import AirflowApi, AirflowRefusedError, from_connection, retrying
from include.orchestration.closer import Closer
from include.orchestration.dbt_call import seldom_collected
from include.orchestration.graph import Finished, Progress, ShownTask, TaskGraph, TaskKind
from include.orchestration.manifest import seed_partial_parse
from include.serving.builds import Journal, NodeRecord

Nodes = Mapping[str, Mapping[str, Any]]
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class DbtFastForwardBuildOperator(DbtBuildLocalOperator):
    """Builds a selector in one dbt call and closes the tasks that show its nodes.

    :param slim_manifest: the manifest the tasks were rendered from
    :param results_dir: where the journal of each run is kept: {dag}/{run} below it
    :param api_conn_id: the Airflow connection to Airflow's own API; without it the tasks run one by one, more slowly
    """

    def __init__(self, *, slim_manifest: Path, results_dir: Path, api_conn_id: str = "airflow_api", **kwargs: Any):
        super().__init__(**kwargs)
        self.slim_manifest = slim_manifest
        self.results_dir = results_dir
        self.api_conn_id = api_conn_id
        self._compiled = Path()

    def execute(self, context: Any, **kwargs: Any) -> None:
        """Build what is open, closing tasks on the way."""
        api = from_connection(self.api_conn_id)
        if api is None:
            self.log.warning(
                "connection %s is not configured: every dbt task runs by itself, with the same result but more slowly",
                self.api_conn_id,
            )
            return
        try:
            retrying(api.log_in)
            self._build(context, api, **kwargs)
        except AirflowRefusedError as error:
            raise AirflowFailException(str(error)) from error

    def _build(self, context: Any, api: AirflowApi, **kwargs: Any) -> None:
        ti, run_id = context["ti"], context["run_id"]
        nodes: Nodes = json.loads(self.slim_manifest.read_text())["nodes"]
        graph = TaskGraph.build(self._shown_tasks(), nodes)
        open_tasks = graph.open_tasks(self._states(context))
        if not graph.nodes_of(open_tasks):
            self.log.info("every dbt task of this run is closed already")
            return
        journal = Journal(self.results_dir, ti.dag_id, run_id)
        journal.forget_old()
        knows_earlier_tries = journal.exists()
        done_before = graph.nodes_of(graph.needs.keys() - open_tasks)
        progress = Progress(graph, already_green=done_before)
        built_by = f"task {self.task_id} of run {run_id} (try {ti.try_number})"
        said: dict[str, list[str]] = defaultdict(list)

        def close(notes: Mapping[str, str]) -> None:
            retrying(lambda: api.close_tasks(ti.dag_id, run_id, notes))

        closer = Closer(journal.keep, close, built_by)
        if done_before:
            # What is named and nothing else: dbt would add every test of a model, also one that is closed.
            self.select, self.selector, self.indirect_selection = graph.selection(open_tasks, nodes), None, "empty"
            self.log.info("building the %s of %s tasks that are still open", len(open_tasks), len(graph.needs))

        def on_event(event: Any) -> None:
            info = getattr(event.data, "node_info", None)
            if event.info.name == "NodeFinished":
                node = _finished(event.data)
                if tasks := graph.tasks_of.get(node.unique_id):
                    sql = self._compiled_sql(nodes[node.unique_id])
                    record = NodeRecord(
                        **asdict(node),
                        tasks=tuple(sorted(tasks)),
                        built_by=built_by,
                        sql=sql,
                        log=tuple(said.pop(node.unique_id, ())),
                    )
                    closer.add(record, progress.node_finished(node))
            elif info is not None and event.info.level != "debug":
                said[info.unique_id].append(_COLOURS.sub("", event.info.msg))

        seed_partial_parse(self.slim_manifest.parent, Path(self.cache_dir) / "target")
        self._dbt_runner_callbacks = [on_event]
        failure: Exception | None = None
        try:
            super().execute(context, **kwargs)
        except Exception as error:
            failure = error
        try:
            closer.finish()
        finally:
            journal.summarise()
        self.log.info(
            "%s of %s open tasks closed, %s dbt nodes not green", closer.closed, len(open_tasks), len(progress.bad)
        )
        last_try = ti.try_number > ti.max_tries
        if failure is not None and (not last_try or not progress.bad):
            raise failure
        for bad in progress.bad:
            self.log.error("%s: %s: %s", bad.unique_id, bad.status, bad.message)
        if failure is not None:
            self.log.warning("the tasks of those nodes are open and run next, each by itself")
        kept = journal.read()
        # What an earlier try built is announced by this one; where its journal is not, all that is closed.
        green = {uid for uid, node in kept.nodes.items() if node.is_green}
        self._emit_assets(context, (green if knows_earlier_tries else green | done_before) - kept.announced)
        journal.announce(green)

    def _shown_tasks(self) -> list[ShownTask]:
        shown = []
        for task in self.dag.task_dict.values():
            config = (getattr(task, "extra_context", None) or {}).get("dbt_node_config") or {}
            if not (unique_id := config.get("unique_id")):
                continue
            tests_a_model = type(task).__name__.startswith("DbtTest") and not unique_id.startswith("test.")
            shown.append(ShownTask(task.task_id, TaskKind.TEST if tests_a_model else TaskKind.RUN, unique_id))
        return shown

    @staticmethod
    def _states(context: Any) -> Mapping[str, str | None]:
        ti, run_id = context["ti"], context["run_id"]
        states: Mapping[str, Mapping[str, str | None]] = ti.get_task_states(dag_id=ti.dag_id, run_ids=[run_id]) or {}
        return states.get(run_id, {})

    def _handle_datasets(self, context: Any) -> None:  # noqa: ARG002 - the signature is Cosmos'
        # Cosmos would emit what this try alone built; _emit_assets knows of earlier ones, also of one that was killed.
        return

    def _emit_assets(self, context: Any, unique_ids: Iterable[str]) -> None:
        if not self.emit_datasets:
            return
        with environ(self.env or {}):  # the profile reads it, and only now is the connection in it
            namespace = get_dataset_namespace(self.profile_config)
        if namespace is None:
            self.log.warning("no assets are given out: Cosmos cannot tell from the profile where the warehouse is")
            return
        uris = compute_model_outlet_uris(str(self.slim_manifest), namespace)
        outlets = [Asset(uri=uri) for unique_id in sorted(unique_ids) for uri in uris.get(unique_id, [])]
        self.register_dataset([], outlets, context)

    def run_dbt_runner(self, command: list[str], env: dict[str, str], cwd: str, **kwargs: Any) -> Any:
        """Run dbt, and remember where it leaves what it compiles."""
        self._compiled = Path(cwd) / "target" / "compiled"
        with seldom_collected():
            return super().run_dbt_runner(command, env, cwd, **kwargs)

    def _compiled_sql(self, node: Mapping[str, Any]) -> str:
        compiled = self._compiled / compiled_path(node)
        return compiled.read_text() if compiled.is_file() else ""


def compiled_path(node: Mapping[str, Any]) -> Path:
    """Where dbt writes the compiled text of a node, below target/compiled."""
    file, path = Path(node["original_file_path"]), Path(node["path"])
    # a generic test has a file name of its own, below that of the YAML it stands in
    return Path(node["package_name"]) / (file if file.name == path.name else file / path)


def _finished(data: Any) -> Finished:
    info, result = data.node_info, data.run_result
    rows = dict(result.adapter_response).get("rows_affected")
    counted = int(rows) if isinstance(rows, (int, float)) and rows >= 0 else None
    return Finished(info.unique_id, info.node_status, float(result.execution_time), str(result.message or ""), counted)
