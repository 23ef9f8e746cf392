from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.comparison.estimates import survival
from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.scores import queries_to_target
from optiproxy.comparison.summary import summarize
from optiproxy.metrics import Objective

UP, DOWN = Objective("score"), Objective("score", "min")
SETTING = TaskSetting(objective="score:max", test="test", optimum=9.0)


def test_a_summary_by_hand(outcome):
    results = [
        outcome([1.0, 9.0, 3.0, 4.0], overhead_mb=2.0),
        outcome([None, 2.0, 7.0, 5.0], ask_seconds=1.0),
        outcome([9.0, 1.0, 1.0, 1.0]),
    ]
    found = summarize(results, SETTING, budget=4)
    assert found.seeds == 3
    assert found.best_mean == pytest.approx(25 / 3)
    assert found.best_std == pytest.approx(np.std([9, 7, 9], ddof=1))
    assert found.test_mean == pytest.approx(-25 / 3)
    assert found.hit_rate == pytest.approx(2 / 3)
    assert (found.queries_to_optimum_median, found.queries_to_optimum_mean) == (2.0, pytest.approx(7 / 3))
    assert found.censored == 1
    assert found.feasible_share == pytest.approx(11 / 12)
    assert found.overhead_seconds_mean == pytest.approx((2 + 4 + 2) / 3)
    assert found.overhead_mb_peak == 2.0


def test_a_search_that_misses_the_optimum_counts_as_the_budget_even_where_the_space_ran_out(outcome):
    found = summarize([outcome([1.0, 2.0])], SETTING, budget=50)
    assert (found.queries_to_optimum_median, found.queries_to_optimum_mean, found.censored) == (50, 50, 1)
    assert found.hit_rate == 0


def test_without_a_known_optimum_nothing_is_said_about_it(outcome):
    found = summarize([outcome([1.0])], TaskSetting(objective="score:max"), budget=1)
    assert found.optimum is found.hit_rate is found.queries_to_optimum_mean is found.queries_to_optimum_median is None
    assert found.censored is None
    assert found.test_mean is None
    assert found.best_std is None


def test_there_is_no_mean_over_the_lucky_seeds_only(outcome):
    found = summarize([outcome([9.0]), outcome([8.0], infeasible=[1])], SETTING, budget=1)
    assert found.best_mean is None
    assert found.test_mean is None
    assert found.feasible_share == 0.5
    assert found.hit_rate == 0.5


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=8), min_size=1, max_size=6))
def test_survival_ends_at_the_hit_rate_and_mean_queries_is_its_area(runs):
    from optiproxy.comparison.grid import Run
    from optiproxy.comparison.results import Row, RunResult

    def search(values):
        best = np.maximum.accumulate(values).tolist()
        queries = [
            Row(query=i, architecture={}, metrics={"score": v}, feasible=True, best_so_far=b, ask_seconds=0.0)
            for i, (v, b) in enumerate(zip(values, best, strict=True), start=1)
        ]
        return RunResult(run=Run("t", "a", 0), source="", queries=tuple(queries), overhead_mb=0.0)

    results = [search(values) for values in runs]
    summary = summarize(results, SETTING, budget=8)
    curve = survival([queries_to_target(outcome, UP, 9.0) for outcome in results], last=8)
    assert (np.diff(curve.share) <= 0).all()
    assert (curve.low <= curve.share + 1e-12).all()
    assert (curve.share <= curve.high + 1e-12).all()
    assert curve.share[-1] == pytest.approx(1 - summary.hit_rate)
    # As all are censored at the same query, the area under the curve is the mean that counts them as that query.
    steps = np.concatenate([[0], curve.queries, [8]])
    assert summary.queries_to_optimum_mean == pytest.approx(np.diff(steps) @ np.concatenate([[1], curve.share]))
    assert 0 <= summary.hit_rate_low <= summary.hit_rate <= summary.hit_rate_high <= 1
