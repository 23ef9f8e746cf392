"""Mean ranks over tasks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.ranks import critical_difference, friedman, ranking
from optiproxy.comparison.scores import FinalIncumbent, HalfwayIncumbent, QueriesToOptimum

UP = TaskSetting(objective="score:max", test="test", optimum=9.0, source="made up")


@pytest.mark.parametrize(("algorithms", "quantile"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_that_of_the_published_table(algorithms, quantile):
    expected = quantile * (algorithms * (algorithms + 1) / (6 * 14)) ** 0.5
    assert critical_difference(algorithms, 14) == pytest.approx(expected, rel=1e-3)


def test_ranks_by_hand(comparison):
    levels = {"a": {"x": 3.0, "y": 2.0, "z": 1.0}, "b": {"x": 2.0, "y": 2.0, "z": 1.0}}
    made = comparison(
        lambda task, name, seed: [levels[task][name]], tasks=("a", "b"), algorithms=("x", "y", "z"), seeds=3
    )
    found = ranking(made, FinalIncumbent())
    assert found.ranks == {"x": 1.25, "y": 1.75, "z": 3.0}
    assert found.tasks == ("a", "b")
    assert found.critical_difference == pytest.approx(2.343 * (3 * 4 / (6 * 2)) ** 0.5, rel=1e-3)
    # Rank sums 2.5, 3.5 and 6, with one pair of ties.
    chi, _ = friedman(np.array([[1.0, 2, 3], [1.5, 1.5, 3]]))
    assert found.friedman == pytest.approx(chi)
    assert chi == pytest.approx((12 / (2 * 3 * 4) * (2.5**2 + 3.5**2 + 6**2) - 3 * 2 * 4) / (1 - 6 / (2 * 3 * 8)))


def test_ranks_use_what_all_have_searched(comparison, constant):
    cheap = comparison(constant(ours=5.0, theirs=4.0), tasks=("a", "b", "c"), seeds=4)
    slow = comparison(constant(slow=6.0), tasks=("b", "c"), algorithms=("slow",), seeds=2, budget=20)
    alone = comparison(constant(other=6.0), tasks=("d",), algorithms=("other",), seeds=2)
    found = ranking(Comparison.joined([cheap, slow, alone]), FinalIncumbent())
    assert found.tasks == ("b", "c")
    assert found.ranks == {"slow": 1, "ours": 2, "theirs": 3}
    assert found.left_out == ("other",)


def test_ranks_have_the_block_with_the_most_pairs_though_it_is_no_task_of_its_own(comparison, constant):
    a = comparison(constant(ours=5.0, theirs=4.0, third=3.0, one=6.0), algorithms=("ours", "theirs", "third", "one"))
    b = comparison(
        constant(ours=5.0, theirs=4.0, third=3.0, two=6.0), tasks=("b",), algorithms=("ours", "theirs", "third", "two")
    )
    found = ranking(Comparison.joined([a, b]), FinalIncumbent())
    assert found.tasks == ("a", "b")
    assert found.ranks == {"ours": 1, "theirs": 2, "third": 3}
    assert found.left_out == ("one", "two")


def test_who_is_left_out_does_not_shorten_what_the_others_are_ranked_on(comparison, constant):
    late = comparison(lambda task, name, seed: [1.0] * 55 + [5.0 if name == "ours" else 2.0], tasks=tuple("abcd"))
    brief = comparison(constant(brief=3.0), tasks=("a",), algorithms=("brief",), budget=30)
    found = ranking(Comparison.joined([late, brief]), FinalIncumbent())
    assert (found.tasks, found.ranks) == (tuple("abcd"), {"ours": 1, "theirs": 2})
    assert ranking(Comparison.joined([late, brief]), HalfwayIncumbent()).tasks == tuple("abcd")


def test_one_task_has_ranks_and_no_critical_difference(comparison, constant):
    found = ranking(comparison(constant(ours=5.0, theirs=4.0)), FinalIncumbent())
    assert (found.critical_difference, found.friedman) == (None, None)
    assert (
        ranking(comparison(constant(ours=5.0, theirs=4.0), setting=replace(UP, optimum=None)), QueriesToOptimum())
        is None
    )
