"""How one run is scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.scores import (
    FinalIncumbent,
    HalfwayIncumbent,
    QueriesToOptimum,
    final_incumbent,
    incumbent_curves,
    incumbent_quartiles,
    queries_to_target,
)
from optiproxy.metrics import Objective

UP = TaskSetting(objective="score:max", test="test", optimum=9.0, source="made up")
SCORE, COST = Objective("score"), Objective("score", "min")


def test_measures_within_a_number_of_queries(outcome):
    searches = [outcome([1.0, 2.0, 9.0, 9.0]), outcome([1.0, 1.0, 1.0, 9.0]), outcome([None] * 4)]
    queries, best = QueriesToOptimum(), FinalIncumbent()
    assert queries.scores(searches, UP, at=4).tolist() == [-3, -4, -5]
    # One that meets the optimum later counts as not meeting it.
    assert queries.scores(searches, UP, at=3).tolist() == [-3, -4, -4]
    assert best.scores(searches, UP, at=2).tolist() == [2, 1, -np.inf]
    assert queries.checkpoint(replace(UP, optimum=None), 100) is None
    assert (
        HalfwayIncumbent().checkpoint(UP, 100),
        HalfwayIncumbent().checkpoint(UP, 50),
        FinalIncumbent().checkpoint(UP, 50),
    ) == (50, None, 50)


def test_the_best_is_the_best_feasible_and_of_equals_the_first(outcome):
    assert final_incumbent(outcome([5.0, 9.0, 7.0, 7.0], infeasible=[2])).query == 3
    assert final_incumbent(outcome([5.0, 9.0, 7.0], direction="min")).query == 1
    assert final_incumbent(outcome([5.0, None], infeasible=[1])) is None


def test_an_infeasible_optimum_is_not_met(outcome):
    assert queries_to_target(outcome([9.0, 1.0, 9.0], infeasible=[1]), SCORE, 9.0) == 3
    assert queries_to_target(outcome([9.0], infeasible=[1]), SCORE, 9.0) is None


def test_a_rounded_optimum_is_met_and_a_near_miss_is_not(outcome):
    assert queries_to_target(outcome([91.60666665]), SCORE, 91.6067) == 1
    assert queries_to_target(outcome([91.606]), SCORE, 91.6067) is None
    assert queries_to_target(outcome([2.0, 1.0], direction="min"), COST, 1.0) == 2


def test_curves_hold_their_last_value_and_start_below_everything(outcome):
    curves = incumbent_curves([outcome([None, 2.0, 1.0])], SCORE, queries=5)
    assert curves.tolist() == [[-np.inf, 2, 2, 2, 2]]


def test_quartiles_are_in_the_unit_of_the_metric(outcome):
    seeds = [outcome([value], direction="min") for value in (1.0, 2.0, 3.0, 4.0)]
    low, middle, high = incumbent_quartiles(seeds, COST, queries=1)[:, 0]
    assert 1 <= low <= middle <= high <= 4
    assert incumbent_quartiles([outcome([None])], SCORE, queries=1).tolist() == [[-np.inf]] * 3
