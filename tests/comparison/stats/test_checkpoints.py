from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.stats.checkpoints import checkpoints, intervals
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
