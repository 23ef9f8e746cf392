from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.baselines.ranking import excess, standardized, utilities
from optiproxy.metrics import Goal, Limit, Objective

LIMITED = Goal((Objective("accuracy"),), (Limit("latency", 2.0), Limit("memory", 100.0)))
ONE = np.ones(1)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_one_objective_keeps_its_order_and_proportions(values):
    found = utilities(Goal((Objective("accuracy"),)), [{"accuracy": v} for v in values], ONE)
    span = max(values) - min(values)
    if span < 1e-3:
        return
    slope = np.ptp(found) / span
    assert np.allclose(found - found[0], slope * (np.array(values) - values[0]), atol=1e-6)
    assert slope > 0


def test_a_metric_to_minimize_is_turned_round():
    found = utilities(Goal((Objective("loss", "min"),)), [{"loss": 1.0}, {"loss": 0.5}, {"loss": 2.0}], ONE)
    assert list(np.argsort(-found)) == [1, 0, 2]


def test_feasible_first_then_the_least_broken_then_failures():
    trials = [
        {},
        {"accuracy": 9.0, "latency": 4.0, "memory": 50.0},  # twice the bound
        {"accuracy": 1.0, "latency": 2.0, "memory": 100.0},
        {"accuracy": 9.0, "latency": 1.0, "memory": 110.0},  # a tenth beyond
        {"accuracy": 2.0, "latency": 1.0, "memory": 1.0},
        {"accuracy": math.nan, "latency": 1.0, "memory": 1.0},
    ]
    found = utilities(LIMITED, trials, ONE)
    assert list(np.argsort(-found, kind="stable")) == [4, 2, 3, 1, 0, 5]
    assert np.isfinite(found).all()
    assert found[0] == found[5]


def test_without_a_feasible_trial_the_limits_give_the_order():
    found = utilities(
        LIMITED, [{}, {"accuracy": 1.0, "latency": 9.0}, {"accuracy": 1.0, "latency": 3.0, "memory": 1}], ONE
    )
    assert np.argmax(found) == 2
    assert found[0] == found[1]  # a limit that was not measured is broken without bound


def test_nothing_but_failures_are_all_equal():
    assert np.ptp(utilities(LIMITED, [{}, {}, {"accuracy": math.inf}], ONE)) == 0


@given(st.floats(0.01, 0.99))
def test_a_dominated_trial_is_never_preferred(weight):
    goal = Goal((Objective("accuracy"), Objective("latency", "min")))
    trials = [{"accuracy": 1.0, "latency": 5.0}, {"accuracy": 3.0, "latency": 4.0}, {"accuracy": 2.0, "latency": 9.0}]
    found = utilities(goal, trials, np.array([weight, 1 - weight]))
    assert found[1] == found.max()
    assert found[1] > found[0] > found[2] or found[1] > found[2] > found[0]


def test_each_part_of_a_concave_front_is_the_best_for_some_preference():
    goal = Goal((Objective("a"), Objective("b")))
    trials = [{"a": 0.0, "b": 1.0}, {"a": 0.4, "b": 0.4}, {"a": 1.0, "b": 0.0}]
    best = {int(np.argmax(utilities(goal, trials, np.array([w, 1 - w])))) for w in np.linspace(0.02, 0.98, 49)}
    assert best == {0, 1, 2}  # a weighted sum would never choose the middle


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({"accuracy": 1.0, "latency": 2.0, "memory": 100.0}, 0.0),
        ({"accuracy": 1.0, "latency": 3.0, "memory": 150.0}, 1.0),
        ({"accuracy": 1.0, "latency": 1.0}, math.inf),
        ({"latency": 1.0, "memory": 1.0}, math.inf),
    ],
)
def test_excess_is_relative_to_each_bound(metrics, expected):
    assert excess(LIMITED, metrics) == expected


def test_standardized():
    assert np.allclose(standardized(np.array([1.0, 2.0, 3.0])), np.array([-1, 0, 1]) * 1.5**0.5)
    assert (standardized(np.full(3, 0.1)) == 0).all()
