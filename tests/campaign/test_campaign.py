"""The campaign itself: the same seed is the same plan, what fails is recorded and told, portions add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bronze.test_nights import CLASSES, ENDPOINTS, FAULTS
from tests.campaign import __main__ as campaign
from tests.campaign import page, plan, record, suites
from tests.campaign.record import Failure, Played, Record
from tests.campaign.suites import SUITES, Portion, Suite

MOMENTS = [plan.FIRST + timedelta(hours=7 * n, minutes=-11) for n in range(200)]
DELETED = [plan.FIRST + timedelta(days=9, hours=1)]
GOOD = Played("worlds", 0, "2026-01-05T06:20:00+00:00", "abc1234", "2 cores", 12.5, {"worlds": 10})
BAD = replace(GOOD, failures=(Failure("tests.x::test_y", "it said so"),))


# ---------------------------------------------------------------- plans of nights


def test_a_seed_is_one_plan_and_another_is_another() -> None:
    first, again, other = (plan.nights(seed, MOMENTS, DELETED) for seed in (3, 3, 4))
    assert first == again
    assert [str(night) for night in first] == [str(night) for night in again]
    assert first != other


@pytest.mark.parametrize("seed", range(20))
def test_nights_come_in_order_each_at_a_moment_that_is_one(seed: int) -> None:
    nights = plan.nights(seed, MOMENTS, DELETED)
    for before, night in zip(nights, nights[1:], strict=False):
        assert night.at - before.at == (night.missed + 1) * plan.DAY
        assert night.sync is None or before.at < night.sync < night.at
    for night in nights:
        assert not [at for at in MOMENTS if night.at - plan.PAST_THE_CUT <= at < night.at]
        assert not night.backfill or night.missed


@pytest.mark.parametrize("seed", range(20))
def test_each_kind_of_process_is_killed_three_times_in_every_portion(seed: int) -> None:
    kills = [night.kills for night in plan.nights(seed, MOMENTS, DELETED)]
    assert Counter(kill.kind for each in kills for kill in each) == dict.fromkeys(plan.KINDS, 3)
    assert max(map(len, kills)) <= 2
    portions = SUITES["nights"].asked["nights"] // plan.AT_ONCE
    assert {many <= portions for many in suites.NIGHTLY_KILLS.values()} == {True}


def test_a_deletion_is_looked_for_in_the_next_night() -> None:
    for seed in range(20):
        nights = plan.nights(seed, [], DELETED)
        after = [night for night in nights if night.at >= DELETED[0]]
        assert not after or after[0].look


def test_everything_that_may_go_wrong_does_in_some_plan() -> None:
    nights = [night for seed in range(25) for night in plan.nights(seed, MOMENTS, [])]
    wrong = Counter(
        {
            "missed": sum(night.missed > 0 for night in nights),
            "backfill": sum(night.backfill for night in nights),
            "sync": sum(night.sync is not None for night in nights),
            "refused": sum(night.refused is not None for night in nights),
            "rerun": sum(night.rerun is not None for night in nights),
            "outage": sum(kill.away > 0 for night in nights for kill in night.kills),
        }
    )
    assert min(wrong.values()) >= 10
    assert {fault["kind"] for night in nights for fault in night.faults} == {each["kind"] for each in plan.PASSING}


@pytest.mark.parametrize(("rerun", "wanted"), [(0.0, "a"), (0.5, "b"), (1.0, "c"), (None, None)])
def test_the_batch_that_is_loaded_again_is_one_of_them(rerun: float | None, wanted: str | None) -> None:
    night = replace(plan.nights(0, MOMENTS, [])[0], rerun=rerun)
    assert night.replayed(["a", "b", "c"]) == wanted


# ---------------------------------------------------------------- the record


def test_portions_add_up_and_one_played_again_takes_its_own_place() -> None:
    one = Record("gold").with_(GOOD).with_(replace(GOOD, seed=1, done={"worlds": 7, "others": 2}))
    assert one.done() == {"worlds": 17, "others": 2}
    again = one.with_(replace(GOOD, seconds=99.0))
    assert again.done() == one.done()
    assert [played.seconds for played in again.played] == [99.0, 12.5]


def test_a_failure_that_a_later_commit_mended_is_not_forgotten() -> None:
    failed = Record("gold").with_(BAD)
    assert failed.good == set()
    assert failed.with_(GOOD).mended == ()  # the same commit: nobody mended anything
    mended = failed.with_(replace(GOOD, commit="def5678"))
    assert (mended.mended, mended.good) == ((BAD,), {("worlds", 0)})


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = Record("gold").with_(BAD).with_(replace(GOOD, commit="def5678")).with_(replace(BAD, seed=1))
    record.write(written, tmp_path)
    assert record.read("gold", tmp_path) == written
    assert record.read("silver", tmp_path) == Record("silver")


# ---------------------------------------------------------------- running


def suite(*portions: Portion) -> Suite:
    return Suite("small", "", {"cases": 3}, lambda _asked: iter(portions))


def test_what_fails_is_recorded_with_its_seed_and_tells_how_to_see_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = tmp_path / "test_it.py"
    tests.write_text(
        "import os\n"
        "def test_one(record_property):\n    record_property('counted', 4)\n"
        "def test_two(record_property):\n"
        "    record_property('counted', 5)\n"
        "    assert os.environ['SEEDS'] != '7', 'seven is wrong'\n"
    )
    portions = [
        Portion("part", seed, {"cases": 3, "counted": 1}, [str(tests), "-p", "no:cacheprovider"], {"SEEDS": str(seed)})
        for seed in (6, 7)
    ]
    assert not campaign.run(suite(*portions), portions, float("inf"), 2, tmp_path, tmp_path, lambda: None)
    said = capsys.readouterr().out
    assert "make test-campaign SUITE=small SEED=7" in said
    assert "SEEDS=7 python -m pytest" in said
    assert "SEED=6" not in said
    good, bad = record.read("small", tmp_path).played
    assert (good.seed, good.done, good.failures) == (6, {"cases": 3, "counted": 9}, ())
    (failure,) = bad.failures
    assert (bad.seed, bad.done) == (7, {"cases": 3, "counted": 9})
    assert failure.test.endswith("test_it::test_two")
    assert "seven is wrong" in failure.said


def test_a_portion_whose_tests_did_not_run_is_a_failure_and_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import nothing_of_that_name\n")
    portion = Portion("part", 0, {"cases": 3}, [str(tmp_path / "test_it.py"), "-p", "no:cacheprovider"])
    assert not campaign.run(suite(portion), [portion], float("inf"), 1, tmp_path, tmp_path, lambda: None)
    (played,) = record.read("small", tmp_path).played
    assert (played.done, len(played.failures)) == ({"cases": 0}, 1)


def test_when_the_time_is_up_no_portion_is_begun(tmp_path: Path) -> None:
    portion = Portion("part", 0, {"cases": 3}, ["there is no such file"])
    assert campaign.run(suite(portion), [portion], 0, 1, tmp_path, tmp_path, lambda: None)
    assert record.read("small", tmp_path).played == ()


def test_a_campaign_that_found_something_ends_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def run(suite: Suite, portions: list[Portion], _until: float, _jobs: int) -> bool:
        asked.extend((suite.name, portion.seed) for portion in portions)
        return suite.name != "silver"

    monkeypatch.setattr(campaign, "run", run)
    assert campaign.main(["parity", "--seed", "3"]) == 0
    assert campaign.main(["silver", "--seed", "2"]) == 1
    assert asked == [("parity", 3), ("silver", 2)]
    with pytest.raises(SystemExit):
        campaign.main(["parity", "--seed", "99"])
    with pytest.raises(SystemExit):
        campaign.main(["goold"])
    with pytest.raises(SystemExit):
        campaign.main(["gold", "--count", "worlds=many"])


def test_what_is_recorded_and_good_is_left_out_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = Record("parity").with_(replace(GOOD, seed=0)).with_(replace(BAD, seed=1))
    monkeypatch.setattr(campaign.record, "read", lambda _: done)
    asked: list[int] = []
    monkeypatch.setattr(campaign, "run", lambda _s, portions, _u, _j: not asked.extend(each.seed for each in portions))
    assert campaign.main(["parity", "--resume", "--count", "tiny-worlds=4"]) == 0
    assert asked == [1, 2, 3]


# ---------------------------------------------------------------- what is asked for


@pytest.mark.parametrize("name", SUITES)
def test_the_portions_of_a_suite_give_what_is_asked(name: str) -> None:
    portions = list(SUITES[name].portions(SUITES[name].asked))
    given = sum((Counter(dict(portion.gives)) for portion in portions), Counter())
    asked = {part: many for part, many in SUITES[name].asked.items() if part not in suites.NIGHTLY_KILLS}
    assert given == asked
    assert len({(portion.name, portion.seed) for portion in portions}) == len(portions)
    for portion in portions:
        assert Path(portion.tests[0]).exists()


def test_the_last_portion_is_what_is_left() -> None:
    assert list(suites.portioned("cases", 45, 20)) == [(0, {"cases": 20}), (1, {"cases": 20}), (2, {"cases": 5})]
    assert list(suites.portioned("cases", 0, 20)) == []


def test_the_worlds_of_gold_are_different_ones() -> None:
    portions = list(SUITES["gold"].portions(SUITES["gold"].asked))
    for size, name in (("tiny", "SUPPORT_GOLD_SEEDS"), ("small", "SUPPORT_GOLD_SMALL_SEEDS")):
        seeds = [seed for each in portions for seed in each.environment.get(name, "").split(",") if seed]
        assert len(seeds) == len(set(seeds)) == SUITES["gold"].asked[f"{size}-worlds"]


def test_all_faults_there_are_are_asked_for() -> None:
    classes, places, times = len(CLASSES), 3, 2
    pairs = classes * (classes - 1) // 2
    assert len(ENDPOINTS) > places
    assert SUITES["bronze"].asked["faults"] == places * (times * len(FAULTS) + pairs)


# ---------------------------------------------------------------- the page


def test_the_page_says_what_the_records_say() -> None:
    assert page.main(["--check"]) == 0


def test_what_is_not_reached_is_said(tmp_path: Path) -> None:
    played = replace(GOOD, done={"tiny-worlds": 7, "small-worlds": 1}, seconds=1800.0)
    record.write(Record("gold").with_(played).with_(replace(BAD, seed=1, done={"tiny-worlds": 2})), tmp_path)
    first, second, third = page.rows(SUITES["gold"], tmp_path)
    assert first == ("gold", "tiny-worlds", "50", "9", "worlds 1", "none", "worlds 0-1", "abc1234", "0.5")
    assert second[2:5] == ("3", "1", "none")
    assert third[2:4] == ("20,000", "0")


def test_numbers_are_written_as_ranges() -> None:
    assert page.ranges([3, 1, 2, 7, 9, 10]) == "1-3, 7, 9-10"


def test_a_page_that_is_out_of_date_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "page.md"
    old.write_text("before\n<!-- table:campaign -->\nold\n<!-- end -->\n")
    assert page.main(["--check"], old) == 1
    assert "run `python -m tests.campaign.page`" in capsys.readouterr().err
    assert page.main([], old) == 0
    assert page.main(["--check"], old) == 0


def test_what_is_recorded_of_a_failure_names_files_and_no_folder_of_the_machine() -> None:
    said = 'File "/home/me/.venv/lib/python3.11/queue.py", line 1; see /tmp/x-1/data and models/def/a.sql, 3/4'
    assert campaign.PATH.sub("", said) == 'File "queue.py", line 1; see data and models/def/a.sql, 3/4'
