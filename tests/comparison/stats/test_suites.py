"""The tasks of one source taken together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.comparison.runs.grid import Contest, Grid
from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.findings import find
from optiproxy.comparison.stats.paired import holm
from optiproxy.comparison.stats.suites import dominance, rank_differences

CONTEST = Contest(objective="score:max", source="shared")
# Per seed: (ours, theirs).
EASY = [(5.0, 1.0), (6.0, 2.0), (7.0, 8.0), (9.0, 3.0), (10.0, 4.0), (11.0, 4.5)]
HARD = [(1.0, 1.0), (2.0, 3.0), (4.0, 3.5), (5.0, 2.5), (6.0, 2.0), (7.0, 1.5)]


@pytest.fixture
def together(outcome):
    """The comparison of two algorithms on some tasks: ``name=[(ours, theirs) per seed]``, or the contest with them."""

    def make(**tasks):
        parts = []
        for task, told in tasks.items():
            contest, pairs = told if isinstance(told, tuple) else (CONTEST, told)
            grid = Grid(
                contests={task: contest}, algorithms=("ours", "theirs"), seeds=len(pairs), budget=5, version="1"
            )
            at = {"ours": 0, "theirs": 1}
            found = tuple(
                replace(outcome([pairs[cell.seed][at[cell.algorithm]]], direction=contest.aim.direction), cell=cell)
                for cell in grid.cells
            )
            parts.append(Comparison((grid,), found))
        return Comparison.joined(parts)

    return make


def test_by_hand(together):
    found = find(together(easy=EASY, hard=HARD))
    (test,) = found.suites
    assert (test.source, test.tasks, test.rival, test.measure) == ("shared", ("easy", "hard"), "theirs", "best_at_end")
    # Of 36 pairs each, ours wins 33 and loses 3 on the easy one, wins 26 and loses 8 on the hard one.
    assert test.advantage == pytest.approx(((33 - 3) / 36 + (26 - 8) / 36) / 2)
    assert (test.pairs, test.wins, test.ties, test.losses) == (6, 5, 1, 0)
    # What the third seed loses by one rank on the one task, it wins by one on the other.
    assert test.leaning == "reference"


def test_a_task_told_twice_is_no_more_evidence(together):
    twice, often = (find(together(**{f"task{i}": EASY for i in range(n)})).suites[0] for n in (2, 7))
    assert often.p == twice.p
    assert (often.advantage, often.pairs) == (pytest.approx(twice.advantage), 6)


def test_units_do_not_matter(together):
    scaled = [(1000 * ours, 1000 * theirs) for ours, theirs in HARD]
    costs = [(-ours, -theirs) for ours, theirs in HARD]
    plain, large, lowest = (
        find(together(easy=EASY, other=other)).suites[0]
        for other in (HARD, scaled, (replace(CONTEST, objective="score:min"), costs))
    )
    assert plain == large == lowest


def test_who_is_the_reference_turns_the_sign_alone(together):
    made = together(easy=EASY, hard=HARD)
    (ours,), (theirs,) = find(made, "ours").suites, find(made, "theirs").suites
    assert theirs.advantage == pytest.approx(-ours.advantage)
    assert (theirs.p, theirs.wins, theirs.losses, theirs.leaning) == (ours.p, ours.losses, ours.wins, "rival")


def test_one_task_of_a_source_is_no_suite(together):
    made = together(easy=EASY, other=(replace(CONTEST, source="elsewhere"), EASY))
    assert find(made).suites == ()


def test_what_both_have_searched_with_the_same_seeds_counts(together):
    (test,) = find(together(easy=EASY, hard=HARD[:4])).suites
    assert (test.pairs, len(test.tasks)) == (4, 2)


def test_failed_searches_are_beaten_by_all_others(together):
    nothing = [(1.0, None)] * 6
    (test,) = find(together(a=nothing, b=nothing)).suites
    assert (test.advantage, test.wins) == (1, 6)
    both = [(None, None)] * 6
    (test,) = find(together(a=both, b=both)).suites
    assert (test.advantage, test.ties, test.p) == (0, 6, 1)


def test_all_tests_are_corrected_together(together):
    found = find(together(easy=EASY * 2, hard=HARD * 2))
    assert [verdict.p_corrected for verdict in found.verdicts] == holm([verdict.p for verdict in found.verdicts])
    assert {type(verdict).__name__ for verdict in found.verdicts} == {"PairedTest", "SuiteTest"}


SCORES = st.lists(st.tuples(*[st.integers(-4, 4) | st.just(-np.inf)] * 2), min_size=1, max_size=12)


@given(SCORES)
def test_dominance_is_the_share_of_pairs_won_less_those_lost(pairs):
    first, second = np.array(pairs, dtype=float).T
    won = (first[:, None] > second).mean() - (first[:, None] < second).mean()
    assert dominance(rank_differences(first, second)) == pytest.approx(won)
