"""What dbt reports is kept first and closed then, in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from include.orchestration.closer import NOTE_LENGTH, Closer, note
from include.orchestration.graph import Closed, Finished
from include.serving.builds import NodeRecord

A = Finished("model.p.a", "success", 0.25, "OK", 3)
T = Finished("test.p.t", "pass", 0.5, "")


def record(unique_id: str) -> NodeRecord:
    return NodeRecord(unique_id, "success", 0.1, None, "", ("dbt.a.run",), "build", "", ())


def test_what_is_closed_was_kept_before() -> None:
    done: list[str] = []

    def keep(nodes: Sequence[NodeRecord]) -> None:
        done.extend(f"kept {node.unique_id}" for node in nodes)

    def close(notes: Mapping[str, str]) -> None:
        done.extend(f"closed {task_id}" for task_id in notes)

    closer = Closer(keep, close, "build", every=60)
    closer.add(record("model.p.a"), [Closed("dbt.a.run", 0.25, (A,))])
    closer.add(record("model.p.b"), [])
    closer.finish()
    assert done == ["kept model.p.a", "kept model.p.b", "closed dbt.a.run"]
    assert closer.closed == 1


def test_it_closes_while_the_build_is_still_at_it() -> None:
    from threading import Event

    closed = Event()
    closer = Closer(lambda _: None, lambda _: closed.set(), "build", every=0.01)
    closer.add(record("model.p.a"), [Closed("dbt.a.run", 0.25, (A,))])
    assert closed.wait(30)
    closer.finish()


def test_what_could_not_be_closed_is_an_error_at_the_end_and_the_rest_is_still_kept() -> None:
    kept: list[str] = []

    def refuse(_: Mapping[str, str]) -> None:
        raise RuntimeError("no")

    closer = Closer(lambda nodes: kept.extend(node.unique_id for node in nodes), refuse, "build", every=0.01)
    closer.add(record("model.p.a"), [Closed("dbt.a.run", 0.25, (A,))])
    closer.add(record("model.p.b"), [])
    with pytest.raises(RuntimeError, match="no"):
        closer.finish()
    assert kept == ["model.p.a", "model.p.b"]


def test_a_note_says_by_what_how_long_how_many_rows_and_dbts_own_word() -> None:
    assert note(Closed("t", 0.75, (A, T)), "task build of run r (try 1)") == (
        "Built in 0.75 s, 3 rows, by task build of run r (try 1).\nmodel.p.a: OK\ntest.p.t: pass"
    )
    assert note(Closed("t", 0.5, (T,)), "b") == "Built in 0.50 s, by b.\ntest.p.t: pass"
    assert len(note(Closed("t", 1.0, (T,) * 100), "b")) == NOTE_LENGTH
