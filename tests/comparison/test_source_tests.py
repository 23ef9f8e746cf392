"""The tasks of one source taken together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.grid import Grid, TaskSetting
from optiproxy.comparison.paired import cliffs_delta, holm, rank_differences
from optiproxy.comparison.statistics import analyze

SETTING = TaskSetting(objective="score:max", source="shared")
# Per seed: (ours, theirs).
EASY = [(5.0, 1.0), (6.0, 2.0), (7.0, 8.0), (9.0, 3.0), (10.0, 4.0), (11.0, 4.5)]
HARD = [(1.0, 1.0), (2.0, 3.0), (4.0, 3.5), (5.0, 2.5), (6.0, 2.0), (7.0, 1.5)]


@pytest.fixture
def together(outcome):
    """The comparison of two algorithms on some tasks: ``name=[(ours, theirs) per seed]``, or the setting with them."""

    def make(**tasks):
        parts = []
        for task, told in tasks.items():
            setting, pairs = told if isinstance(told, tuple) else (SETTING, told)
            grid = Grid(tasks={task: setting}, algorithms=("ours", "theirs"), seeds=len(pairs), budget=5, version="1")
            at = {"ours": 0, "theirs": 1}
            found = tuple(
                replace(
                    outcome([pairs[run.seed][at[run.algorithm]]], direction=setting.first_objective.direction), run=run
                )
                for run in grid.runs
            )
            parts.append(Comparison((grid,), found))
        return Comparison.joined(parts)

    return make


def test_by_hand(together):
    found = analyze(together(easy=EASY, hard=HARD))
    (test,) = found.source_tests
    assert (test.source, test.tasks, test.rival, test.measure) == ("shared", ("easy", "hard"), "theirs", "best_at_end")
    # Of 36 pairs each, ours wins 33 and loses 3 on the easy one, wins 26 and loses 8 on the hard one.
    assert test.effect_size == pytest.approx(((33 - 3) / 36 + (26 - 8) / 36) / 2)
    assert (test.pairs, test.wins, test.ties, test.losses) == (6, 5, 1, 0)
    # What the third seed loses by one rank on the one task, it wins by one on the other.
    assert test.favors == "reference"


def test_a_task_told_twice_is_no_more_evidence(together):
    twice, often = (analyze(together(**{f"task{i}": EASY for i in range(n)})).source_tests[0] for n in (2, 7))
    assert often.p_value == twice.p_value
    assert (often.effect_size, often.pairs) == (pytest.approx(twice.effect_size), 6)


@pytest.mark.slow
def test_units_do_not_matter(together):
    scaled = [(1000 * ours, 1000 * theirs) for ours, theirs in HARD]
    costs = [(-ours, -theirs) for ours, theirs in HARD]
    plain, large, lowest = (
        analyze(together(easy=EASY, other=other)).source_tests[0]
        for other in (HARD, scaled, (replace(SETTING, objective="score:min"), costs))
    )
    assert plain == large == lowest


def test_who_is_the_reference_turns_the_sign_alone(together):
    made = together(easy=EASY, hard=HARD)
    (ours,), (theirs,) = analyze(made, "ours").source_tests, analyze(made, "theirs").source_tests
    assert theirs.effect_size == pytest.approx(-ours.effect_size)
    assert (theirs.p_value, theirs.wins, theirs.losses, theirs.favors) == (
        ours.p_value,
        ours.losses,
        ours.wins,
        "rival",
    )


def test_one_task_of_a_source_is_no_suite(together):
    made = together(easy=EASY, other=(replace(SETTING, source="elsewhere"), EASY))
    assert analyze(made).source_tests == ()


def test_what_both_have_searched_with_the_same_seeds_counts(together):
    (test,) = analyze(together(easy=EASY, hard=HARD[:4])).source_tests
    assert (test.pairs, len(test.tasks)) == (4, 2)


def test_failed_searches_are_beaten_by_all_others(together):
    nothing = [(1.0, None)] * 6
    (test,) = analyze(together(a=nothing, b=nothing)).source_tests
    assert (test.effect_size, test.wins) == (1, 6)
    both = [(None, None)] * 6
    (test,) = analyze(together(a=both, b=both)).source_tests
    assert (test.effect_size, test.ties, test.p_value) == (0, 6, 1)


def test_all_tests_are_corrected_together(together):
    found = analyze(together(easy=EASY * 2, hard=HARD * 2))
    assert [test.p_corrected for test in found.tests] == holm([test.p_value for test in found.tests])
    assert {type(test).__name__ for test in found.tests} == {"TaskTest", "SourceTest"}


SCORES = st.lists(st.tuples(*[st.integers(-4, 4) | st.just(-np.inf)] * 2), min_size=1, max_size=12)


@given(SCORES)
def test_cliffs_delta_is_the_share_of_pairs_won_less_those_lost(pairs):
    first, second = np.array(pairs, dtype=float).T
    won = (first[:, None] > second).mean() - (first[:, None] < second).mean()
    assert cliffs_delta(rank_differences(first, second)) == pytest.approx(won)
