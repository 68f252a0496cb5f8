"""Fast-forward: one `dbt build` does the work of every dbt task, and closes each as its nodes turn green.

The tasks stay ordinary Cosmos tasks in LOCAL mode, downstream of this one. A task that is closed from here never starts
a process. A task whose node failed or was skipped stays open and runs as the task it is: with its own log, its own
retries, and Airflow's own rules for what is downstream of it. Clearing a model runs just that model; clearing it
together with this task builds every cleared one in one go.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import Asset
from cosmos.dataset import compute_model_outlet_uris, get_dataset_namespace
from cosmos.operators.local import DbtBuildLocalOperator

from include.orchestration.airflow_api import AirflowApi, from_connection, retrying
from include.orchestration.graph import Closed, Finished, Progress, ShownTask, TaskGraph, TaskKind
from include.orchestration.manifest import seed_partial_parse

FLUSH_EVERY = 1.0
NOTE_LENGTH = 900


class DbtFastForwardBuildOperator(DbtBuildLocalOperator):
    """Builds a selector in one dbt call and closes the tasks that show its nodes.

    :param slim_manifest: the manifest the tasks were rendered from
    :param results_dir: where a run's node results are kept for the summary: {dag}/{run}/run_results.json below it
    :param api_conn_id: the Airflow connection to Airflow's own API; without it the tasks run one by one, more slowly
    """

    def __init__(self, *, slim_manifest: Path, results_dir: Path, api_conn_id: str = "airflow_api", **kwargs: Any):
        super().__init__(**kwargs)
        self.slim_manifest = slim_manifest
        self.results_dir = results_dir
        self.api_conn_id = api_conn_id

    def execute(self, context: Any, **kwargs: Any) -> None:
        """Build what is open, closing tasks on the way."""
        api = from_connection(self.api_conn_id)
        if api is None:
            self.log.warning(
                "connection %s is not configured: every dbt task runs by itself, with the same result but more slowly",
                self.api_conn_id,
            )
            return
        nodes: Mapping[str, Mapping[str, object]] = json.loads(self.slim_manifest.read_text())["nodes"]
        graph = TaskGraph.build(self._shown_tasks(), nodes)
        open_tasks = graph.open_tasks(self._states(context))
        if not open_tasks:
            self.log.info("every dbt task of this run is closed already")
            return
        done_before = graph.nodes_of(graph.needs.keys() - open_tasks)
        progress = Progress(graph, already_green=done_before)
        closer = _Closer(api, context["ti"].dag_id, context["run_id"], self.task_id)
        closer.add(progress.settled(open_tasks))
        if not graph.nodes_of(open_tasks):
            closer.close()
            return
        if done_before:
            self.select, self.selector = graph.selection(open_tasks, nodes), None
            self.log.info("building the %s of %s tasks that are still open", len(open_tasks), len(graph.needs))

        def on_event(event: Any) -> None:
            if event.info.name == "NodeFinished":
                closer.add(progress.node_finished(_finished(event.data)))

        seed_partial_parse(self.slim_manifest.parent, Path(self.cache_dir) / "target")
        self._dbt_runner_callbacks = [on_event]
        failure: Exception | None = None
        try:
            super().execute(context, **kwargs)
        except Exception as error:
            failure = error
        finally:
            self._keep_results(context, progress)
        closer.close()
        self.log.info(
            "%s of %s open tasks closed, %s dbt nodes not green", closer.closed, len(open_tasks), len(progress.bad)
        )
        last_try = context["ti"].try_number > context["ti"].max_tries
        if failure is None or last_try:
            self._emit_assets(context, progress.green)
        if failure is None:
            return
        if not last_try or not progress.bad:
            raise failure
        for node in progress.bad:
            self.log.error("%s: %s: %s", node.unique_id, node.status, node.message)
        self.log.warning("the tasks of those nodes are open and run next, each by itself")

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
        # Cosmos would emit what this attempt alone built; _emit_assets also knows what an earlier attempt did.
        return

    def _emit_assets(self, context: Any, green: frozenset[str]) -> None:
        if not self.emit_datasets:
            return
        uris = compute_model_outlet_uris(str(self.slim_manifest), get_dataset_namespace(self.profile_config))
        outlets = [Asset(uri=uri) for unique_id in sorted(green) for uri in uris.get(unique_id, [])]
        self.register_dataset([], outlets, context)

    def _keep_results(self, context: Any, progress: Progress) -> None:
        """Keep what each node did, over all attempts of the run."""
        file = self.results_dir / context["ti"].dag_id / context["run_id"] / "run_results.json"
        kept = (
            {result["unique_id"]: result for result in json.loads(file.read_text())["results"]} if file.exists() else {}
        )
        for node in progress.finished.values():
            kept[node.unique_id] = {
                "unique_id": node.unique_id,
                "status": node.status,
                "execution_time": node.seconds,
                "message": node.message,
            }
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps({"results": [kept[unique_id] for unique_id in sorted(kept)]}))
        partial.rename(file)


class _Closer:
    """Closes tasks in bulk, about once a second, from a thread of its own."""

    def __init__(self, api: AirflowApi, dag_id: str, run_id: str, built_by: str) -> None:
        self._api, self._dag_id, self._run_id, self._built_by = api, dag_id, run_id, built_by
        self._queue: queue.SimpleQueue[Closed | None] = queue.SimpleQueue()
        self._failure: Exception | None = None
        self.closed = 0
        self._thread = threading.Thread(target=self._pump, name="fast-forward", daemon=True)
        self._thread.start()

    def add(self, tasks: list[Closed]) -> None:
        for task in tasks:
            self._queue.put(task)

    def close(self) -> None:
        """Close what is left, and raise if any of it could not be."""
        self._queue.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _pump(self) -> None:
        ended = False
        stop = threading.Event()
        while not ended:
            first = self._queue.get()
            if first is not None:
                stop.wait(FLUSH_EVERY)
            waiting = [first]
            while not self._queue.empty():
                waiting.append(self._queue.get())
            ended = None in waiting
            notes = {task.task_id: self._note(task) for task in waiting if task is not None}
            if not notes or self._failure is not None:
                continue
            try:
                retrying(lambda notes=notes: self._api.close_tasks(self._dag_id, self._run_id, notes))  # type: ignore[misc]
                self.closed += len(notes)
            except Exception as error:
                self._failure = error

    def _note(self, task: Closed) -> str:
        if not task.nodes:
            return "Ephemeral: part of the models that read it. What it reads is built and tested."
        lines = [f"Built by {self._built_by} of this run in {task.seconds:.2f} s; its log holds this task's output."]
        lines += [f"{node.unique_id}: {node.message or node.status}" for node in task.nodes]
        return "\n".join(lines)[:NOTE_LENGTH]


def _finished(data: Any) -> Finished:
    info, result = data.node_info, data.run_result
    return Finished(info.unique_id, info.node_status, float(result.execution_time), str(result.message or ""))
