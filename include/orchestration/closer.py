"""Fast-forward's other hand: what dbt reports is kept, and closed in bulk, about once a second by one thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence

from include.orchestration.graph import Closed
from include.serving.builds import NodeRecord

FLUSH_EVERY = 1.0
NOTE_LENGTH = 900


class Closer:
    """Keeps what became of nodes, then closes the tasks that wait for nothing more. In this order: what a closed task
    stands for is known even if this process is killed in between.

    :param keep: takes the nodes that ended
    :param close: closes tasks, each with its note; what it raises is final
    :param built_by: how a note names the build
    """

    def __init__(
        self,
        keep: Callable[[Sequence[NodeRecord]], None],
        close: Callable[[Mapping[str, str]], None],
        built_by: str,
        every: float = FLUSH_EVERY,
    ) -> None:
        self._keep, self._close, self._built_by, self._every = keep, close, built_by, every
        self._news: queue.SimpleQueue[tuple[NodeRecord, list[Closed]]] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._failure: Exception | None = None
        self.closed = 0
        self._thread = threading.Thread(target=self._work, name="fast-forward", daemon=True)
        self._thread.start()

    def add(self, node: NodeRecord, closed: list[Closed]) -> None:
        """Take in a node that ended and the tasks that it closes."""
        self._news.put((node, closed))

    def finish(self) -> None:
        """Keep and close what is left, and raise if any of it could not be."""
        self._ended.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while not self._ended.wait(self._every):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        news = []
        while not self._news.empty():
            news.append(self._news.get())
        notes = {task.task_id: note(task, self._built_by) for _, closed in news for task in closed}
        try:
            if news:
                self._keep([node for node, _ in news])
            if notes and self._failure is None:
                self._close(notes)
                self.closed += len(notes)
        except Exception as error:
            self._failure = self._failure or error


def note(task: Closed, built_by: str) -> str:
    """What a closed task says of itself."""
    counted = [node.rows for node in task.nodes if node.rows is not None]
    rows = f", {sum(counted)} rows" if counted else ""
    lines = [f"Built in {task.seconds:.2f} s{rows}, by {built_by}."]
    lines += [f"{node.unique_id}: {node.message or node.status}" for node in task.nodes]
    return "\n".join(lines)[:NOTE_LENGTH]
