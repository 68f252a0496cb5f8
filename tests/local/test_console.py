from __future__ import annotations

import io

import pytest

from include.local.console import Console, counted, duration, shortened, table


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
    ],
)
def test_durations_are_said_as_a_person_says_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(1, "task", "1 task"), (0, "task", "0 tasks"), (12345, "row", "12,345 rows"), (2, "batch", "2 batches")],
)
def test_numbers_agree_with_their_nouns(number: int, noun: str, said: str) -> None:
    assert counted(number, noun) == said


def test_a_long_line_is_cut_to_the_width() -> None:
    assert shortened("pylon_issues.extract", 10) == "pylon_i..."
    assert shortened("plan", 10) == "plan"


def test_columns_are_aligned_and_numbers_stand_to_the_right() -> None:
    assert table(["stream", "rows"], [["pylon_issues", "1,489"], ["a", "9"]], right=(1,)) == [
        "stream          rows",
        "pylon_issues   1,489",
        "a                  9",
    ]


def test_elsewhere_than_on_a_terminal_there_is_no_live_line_and_no_colour() -> None:
    out = io.StringIO()
    console = Console(out)
    console.live("  working ...")
    console.step("plan", console.style("ok", "good"), 1.25)
    console.done()

    assert out.getvalue() == "  plan           ok  1.2 s\n"


def test_on_a_terminal_the_live_line_gives_way_to_lines_that_stay() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    console = Console(out)
    console.live("working")
    console.line("done")
    console.done()

    assert out.getvalue() == "working" + "\r\x1b[2K" + "done\n" + "working" + "\r\x1b[2K"
