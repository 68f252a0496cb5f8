"""What surrounds a dbt command in a task."""

from __future__ import annotations

import gc

import pytest

from include.orchestration.dbt_call import SELDOM, seldom_collected


def test_garbage_is_looked_for_as_before_when_dbt_has_ended_however_it_did() -> None:
    before = gc.get_threshold()
    within: list[tuple[int, int, int]] = []

    def fails() -> None:
        with seldom_collected():
            within.append(gc.get_threshold())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert within == [SELDOM] != [before]
    assert gc.get_threshold() == before
