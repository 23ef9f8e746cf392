from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.comparison.estimates import checkpoints, hit_rate_interval, intervals, survival
from optiproxy.comparison.grid import TaskSetting
from optiproxy.task.protocol import QueryProtocol

UP = TaskSetting(objective="score:max", optimum=10.0)
DOWN = TaskSetting(objective="score:min", optimum=1.0)


def curves(*ends, queries=30):
    """Searches that reach their end with the eleventh query, and 0 before."""
    found = np.zeros((len(ends), queries))
    found[:, 10:] = np.array(ends)[:, None]
    return found


def test_only_marks_within_the_budget_and_the_last_query_are_looked_at():
    assert list(checkpoints(curves(1.0, 2.0), UP)) == [10, 25, 30]
    assert list(checkpoints(curves(1.0, queries=200), UP)) == [10, 25, 50, 100, 200]
    assert list(checkpoints(np.zeros((2, 7)), UP)) == [7]


def test_promotions_come_last_so_nothing_is_known_before():
    promoted = TaskSetting(objective="score:max", protocol=QueryProtocol(fidelity=12, promote=10, full=200))
    assert list(checkpoints(curves(1.0, 2.0), promoted)) == [30]


def test_figures_by_hand_and_regret_is_the_distance():
    found = checkpoints(curves(1.0, 2.0, 3.0, 6.0), UP)[25]
    assert (found.best.mean, found.best.first, found.best.median, found.best.third) == (3, 1, 2, 3)
    assert (found.regret.mean, found.regret.first, found.regret.median, found.regret.third) == (7, 7, 8, 9)
    assert found.regret.low == pytest.approx(10 - found.best.high)
    assert found.regret.high == pytest.approx(10 - found.best.low)
    assert found.best.low < 3 < found.best.high


def test_a_minimized_metric_keeps_its_unit_and_its_order():
    found = checkpoints(-curves(1.0, 2.0, 3.0, 6.0), DOWN)[25]
    assert (found.best.mean, found.best.first, found.best.third) == (3, 2, 6)
    assert (found.regret.mean, found.regret.first, found.regret.third) == (2, 1, 5)
    assert found.best.low < 3 < found.best.high


def test_a_seed_without_anything_feasible_takes_the_mean_away_and_counts_as_the_worst():
    lucky = curves(5.0, 6.0, 7.0, 8.0)
    lucky[0] = -np.inf
    found = checkpoints(lucky, UP)[30]
    assert (found.found, found.best.mean, found.best.low, found.best.high) == (3, None, None, None)
    assert (found.best.first, found.best.median, found.best.third) == (None, 6, 7)


def test_one_seed_has_no_interval_and_equal_ones_have_one_of_no_width():
    assert intervals(np.array([[1.0]])) == [(None, None)]
    assert intervals(np.array([[2.0, 2.0], [-np.inf, -np.inf], [1.0, -np.inf]])) == [(2, 2), (None, None), (None, None)]


@given(st.lists(st.floats(-1e3, 1e3, width=16), min_size=2, max_size=12))
def test_intervals_hold_the_mean_and_are_the_same_each_time(values):
    rows = np.array([values])
    ((low, high),) = intervals(rows)
    assert low <= rows.mean() + 1e-9
    assert rows.mean() <= high + 1e-9
    assert intervals(rows) == [(low, high)]


def test_a_curve_by_hand():
    curve = survival([3, 2, None, 3], last=10)
    assert curve.queries.tolist() == [2, 3, 10]
    assert curve.share == pytest.approx([3 / 4, 1 / 4, 1 / 4])
    # Greenwood's variance of log(-log S) after the first event: 1 of 4 searches.
    spread = 1.959964 * math.sqrt(1 / (4 * 3)) / abs(math.log(3 / 4))
    assert curve.low[0] == pytest.approx((3 / 4) ** math.exp(spread), rel=1e-5)
    assert curve.high[0] == pytest.approx((3 / 4) ** math.exp(-spread), rel=1e-5)
    assert curve.median_time.median == 3


def test_a_search_that_meets_the_optimum_last_is_not_one_that_never_does():
    assert survival([10, 10], last=10).median_time.median == 10
    assert survival([None, None], last=10).median_time.median is None


def test_where_none_or_all_have_met_it_the_interval_is_still_one():
    nobody = survival([None, None, None], last=5)
    assert (nobody.share.tolist(), nobody.low.tolist(), nobody.high.tolist()) == ([1], [1], [1])
    everybody = survival([1, 1, 1], last=5)
    assert (everybody.share.tolist(), everybody.low.tolist(), everybody.high.tolist()) == ([0], [0], [1])
    assert everybody.median_time.median == 1
    assert everybody.median_time.high is None


def test_the_median_of_many_is_between_its_bounds():
    middle = survival([*range(1, 41)], last=60).median_time
    assert middle.median == 20
    assert middle.low < 20 < middle.high


@given(st.lists(st.none() | st.integers(1, 20), min_size=1, max_size=12))
def test_every_curve_falls_within_its_band(met):
    curve = survival(met, last=20)
    for row in (curve.low, curve.share, curve.high):
        assert np.isfinite(row).all()
        assert (np.diff(row) <= 1e-12).all()
        assert ((row >= 0) & (row <= 1)).all()
    assert (curve.low <= curve.share + 1e-12).all()
    assert (curve.share <= curve.high + 1e-12).all()


def test_the_interval_of_a_share_is_exact():
    # Nothing out of ten: the upper end is where ten misses have a chance of 2.5 %.
    assert hit_rate_interval([None] * 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert hit_rate_interval([1] * 10) == pytest.approx((0.025**0.1, 1))
    assert hit_rate_interval([]) is None
