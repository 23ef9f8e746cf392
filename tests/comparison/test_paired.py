from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, wilcoxon

from optiproxy.comparison.paired import differences, holm, signed_rank_p, signed_rank_sum

whole = st.lists(st.integers(-4, 4), min_size=1, max_size=8)


def by_enumeration(values):
    """The chance of a signed-rank sum at least as far out, over all signs of the values that are not 0."""
    values = np.array(values, float)
    ranks = rankdata(abs(values))[values != 0]
    observed = ranks[values[values != 0] > 0].sum()
    sums = np.array([ranks @ np.array(signs) for signs in product((0, 1), repeat=len(ranks))])
    return min(1, 2 * min((sums <= observed + 1e-9).mean(), (sums >= observed - 1e-9).mean()))


@given(whole)
def test_the_p_is_that_of_all_signs_with_ties_and_zeros(values):
    assert signed_rank_p(np.array(values, float)) == pytest.approx(by_enumeration(values))


@given(st.lists(st.floats(0.1, 9), min_size=3, max_size=25, unique=True), st.data())
def test_without_ties_it_is_the_published_exact_test(sizes, data):
    signs = data.draw(st.lists(st.sampled_from([-1, 1]), min_size=len(sizes), max_size=len(sizes)))
    values = np.array(sizes) * signs
    assert signed_rank_p(values) == pytest.approx(wilcoxon(values, method="exact").pvalue)


@given(whole)
def test_it_has_two_equal_sides(values):
    values = np.array(values, float)
    assert signed_rank_p(values) == pytest.approx(signed_rank_p(-values))
    assert signed_rank_sum(values) == -signed_rank_sum(-values)


def test_ten_of_ten_wins_and_nothing_but_ties():
    assert signed_rank_p(np.arange(1.0, 11.0)) == pytest.approx(2 / 2**10)
    assert signed_rank_p(np.zeros(10)) == 1
    assert signed_rank_sum(np.zeros(10)) == 0


def test_thirty_pairs_are_no_trouble():
    assert signed_rank_p(np.ones(30)) == pytest.approx(2 / 2**30)


def test_a_seed_without_anything_feasible_loses_by_more_than_any_other():
    better = differences(np.array([1.0, -np.inf, 2.0, -np.inf]), np.array([-np.inf, 5.0, 1.0, -np.inf]))
    assert better.tolist() == [np.inf, -np.inf, 1, 0]
    assert signed_rank_p(better) == by_enumeration([9, -9, 1, 0])


def test_holm_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, and never below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_is_hardest_on_the_smallest(chances):
    corrected = np.array(holm(chances))
    assert (corrected >= np.array(chances) - 1e-12).all()
    assert corrected.min() == pytest.approx(min(1, min(chances) * len(chances)))
    assert (np.diff(corrected[np.argsort(chances, kind="stable")]) >= 0).all()
