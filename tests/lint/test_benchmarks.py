"""The gate that holds documents to the results of the benchmarks."""

from __future__ import annotations

import pytest

from benchmarks import report
from benchmarks.harness import Figure, Series
from lint.benchmarks import shown, wrong_links

FOUND = {"figures": [{"value": 8.42, "unit": "%"}], "series": [{"median": 1234.5, "unit": "rows/s"}]}
KNOWN = {"silver-increment": shown(FOUND), "": set()}


@pytest.mark.parametrize(
    "text",
    [
        "[8.42%](../benchmarks/README.md#silver-increment) of it",
        "[1,234 rows/s](benchmarks/README.md#silver-increment)",
        "see [the curve](../../benchmarks/README.md#silver-increment)",
        "see [all of them](benchmarks/README.md)",
    ],
)
def test_what_the_results_hold_may_be_said(text: str) -> None:
    assert list(wrong_links(text, KNOWN)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[8.4%](../benchmarks/README.md#silver-increment)", "is no figure of silver-increment"),
        ("[8.42%](../benchmarks/README.md)", "is no figure of any benchmark"),
        ("[the curve](../benchmarks/README.md#silver)", "there is no benchmark silver"),
    ],
)
def test_a_number_or_a_part_that_is_not_there_is_named(text: str, said: str) -> None:
    (wrong,) = wrong_links(text, KNOWN)
    assert said in wrong


@pytest.mark.parametrize(
    ("bound", "value", "reached"),
    [("≤ 15", 15, True), ("≤ 15", 15.1, False), ("≥ 10", 9.9, False), ("≥ 10", 10, True), ("", 3, None)],
)
def test_a_bound_is_kept_or_missed(bound: str, value: float, reached: bool | None) -> None:
    assert Figure("key", "what", value, "%", bound).reached is reached


def test_the_page_shows_what_was_missed_and_why() -> None:
    figure = {
        "key": "k",
        "text": "loading",
        "value": 9,
        "unit": "×",
        "bound": "≥ 10",
        "reached": False,
        "remark": "slow",
    }
    result = {
        "name": "bronze_load",
        "figures": [figure],
        "series": [{"name": "ours", "unit": "s", "values": [1, 3, 2], "median": Series("ours", "s", [1, 3, 2]).median}],
        "curves": [
            {"title": "t", "x": "rows", "y": "s", "lines": {"ours": [[10, 1.0], [100, 2.0]]}, "logarithmic": True}
        ],
        "remarks": ["a remark"],
        "inputs": {"rows": 1000},
        "versions": {"dlt": "1"},
        "measured_at": "2026-01-01T00:00:00+00:00",
        "commit": "abc",
        "machine": {
            "cores": 2,
            "processor": "p",
            "memory_gb": 1,
            "system": "s",
            "load_before": [0.1, 0, 0],
            "loop": [3, 4],
        },
        "python": "3",
        "packages": {},
        "took_seconds": 1,
    }
    text = "\n".join(report.page([result]))
    assert "| [Bronze load](#bronze-load) | loading | 9× | ≥ 10 × | **missed**: slow |" in text
    assert "| ours | 2 s | 1 s | 3 s | 3 |" in text
    for part in (
        "| 100 | 2 |",
        "plots/bronze_load_1.svg",
        "How fast 100,000 issues are landed",
        "a remark",
        "dlt 1",
        "loop of Python 3 s before",
    ):
        assert part in text
