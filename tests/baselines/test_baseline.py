from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from optiproxy.baselines import RandomSearch
from optiproxy.baselines.baseline import (
    Baseline,
    ConstrainedLoss,
    constraint_violation,
    penalized_losses,
    scalarized_losses,
    scalarized_utilities,
    standardized,
)
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import FlatSpace, Float, Int

GOAL = Goal((Objective("accuracy"),))


def test_visits_everything_once_then_stops():
    space = FlatSpace({"a": [0, 1, 2], "b": [0, 1]})
    algorithm = RandomSearch(space, GOAL, seed=0)
    trials: list[Trial] = []
    while found := algorithm.propose(1):
        trials.append(Trial(found[0].architecture, {"accuracy": 0.0}))
        algorithm.observe(trials)
    assert Counter(trial.architecture for trial in trials) == Counter((a, b) for a in range(3) for b in range(2))


def test_the_first_draw_is_uniform_over_seeds():
    space = FlatSpace({"a": [0, 1, 2, 3]})
    counts = Counter(RandomSearch(space, GOAL, seed=seed).propose(1)[0].architecture for seed in range(400))
    # Chi-square with 3 degrees of freedom stays below 21.1 with probability 1 - 1e-4; the seeds are fixed.
    assert sum((counts[(i,)] - 100) ** 2 / 100 for i in range(4)) < 21.1


def test_pending_ones_are_not_proposed():
    space = FlatSpace({"a": [0, 1, 2, 3]})
    assert [p.architecture for p in RandomSearch(space, GOAL, seed=0).propose(9, pending=[(0,), (1,), (3,)])] == [(2,)]


class FirstLevels(Baseline):
    """Wants the architectures of the grid in their order, and keeps what it is shown."""

    on_grid = True

    def _candidates(self, rng):
        self.shown = (self._space, [trial.architecture for trial in self._trials])
        return self._space.everything()


def test_a_method_that_knows_choices_alone_is_shown_a_grid_and_proposes_in_the_space_itself():
    space = FlatSpace({"rate": Float(0.0, 1.0), "activation": ["relu", "gelu"]})
    algorithm = FirstLevels(space, GOAL, seed=0)
    between = space.architecture({"rate": 0.1, "activation": "gelu"})
    algorithm.observe([Trial(between, {"accuracy": 0.0})])
    first = [proposal.architecture for proposal in algorithm.propose(3)]
    # Levels are the middles of sixteenths; 0.1 is nearest to the second.
    rates = [space.values(architecture)["rate"] for architecture in first]
    assert rates == pytest.approx([1 / 32, 1 / 32, 3 / 32], abs=1e-5)
    grid, trials = algorithm.shown
    assert grid.size == 32
    assert trials == [(1, 1)]


def test_where_a_grid_is_used_up_random_architectures_between_its_levels_follow():
    space = FlatSpace({"rate": Float(0.0, 1.0)})
    found = [proposal.architecture for proposal in FirstLevels(space, GOAL, seed=0).propose(20)]
    assert len(set(found)) == 20
    on_grid = {space.architecture({"rate": (level + 0.5) / 16}) for level in range(16)}
    assert set(found[:16]) == on_grid
    assert not on_grid & set(found[16:])


def test_a_method_that_knows_choices_alone_is_shown_the_space_itself_where_its_decisions_have_few():
    space = FlatSpace({"depth": Int(1, 4), "activation": ["relu", "gelu"]})
    algorithm = FirstLevels(space, GOAL, seed=0)
    algorithm.propose(1)
    assert algorithm.shown[0] is space


LIMITED = Goal((Objective("accuracy"),), (Limit("latency", 2.0), Limit("memory", 100.0)))
SCORED = Goal((Objective("score"),), (Limit("cost", 8.0), Limit("speed", 2.0, ">=")))
SEVERAL = Goal((Objective("score"), Objective("cost", "min")))
ONE = np.ones(1)

values = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=16))
metrics = st.fixed_dictionaries({"score": values, "cost": values, "speed": values}).map(
    lambda found: {name: value for name, value in found.items() if value is not None}
)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_one_objective_keeps_its_order_and_proportions(values):
    found = scalarized_utilities(Goal((Objective("accuracy"),)), [{"accuracy": v} for v in values], ONE)
    span = max(values) - min(values)
    assume(span > 1e-3)
    slope = np.ptp(found) / span
    assert np.allclose(found - found[0], slope * (np.array(values) - values[0]), atol=1e-6)
    assert slope > 0


def test_a_metric_to_minimize_is_turned_round():
    found = scalarized_utilities(Goal((Objective("loss", "min"),)), [{"loss": 1.0}, {"loss": 0.5}, {"loss": 2.0}], ONE)
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
    found = scalarized_utilities(LIMITED, trials, ONE)
    assert list(np.argsort(-found, kind="stable")) == [4, 2, 3, 1, 0, 5]
    assert np.isfinite(found).all()
    assert found[0] == found[5]


def test_without_a_feasible_trial_the_limits_give_the_order():
    found = scalarized_utilities(
        LIMITED, [{}, {"accuracy": 1.0, "latency": 9.0}, {"accuracy": 1.0, "latency": 3.0, "memory": 1}], ONE
    )
    assert np.argmax(found) == 2
    assert found[0] == found[1]  # a limit that was not measured is broken without bound


def test_nothing_but_failures_are_all_equal():
    assert np.ptp(scalarized_utilities(LIMITED, [{}, {}, {"accuracy": math.inf}], ONE)) == 0


@given(st.floats(0.01, 0.99))
def test_a_dominated_trial_is_never_preferred(weight):
    goal = Goal((Objective("accuracy"), Objective("latency", "min")))
    trials = [{"accuracy": 1.0, "latency": 5.0}, {"accuracy": 3.0, "latency": 4.0}, {"accuracy": 2.0, "latency": 9.0}]
    found = scalarized_utilities(goal, trials, np.array([weight, 1 - weight]))
    assert found[1] == found.max()
    assert found[1] > found[0] > found[2] or found[1] > found[2] > found[0]


def test_each_part_of_a_concave_front_is_the_best_for_some_preference():
    goal = Goal((Objective("a"), Objective("b")))
    trials = [{"a": 0.0, "b": 1.0}, {"a": 0.4, "b": 0.4}, {"a": 1.0, "b": 0.0}]
    best = {
        int(np.argmax(scalarized_utilities(goal, trials, np.array([w, 1 - w])))) for w in np.linspace(0.02, 0.98, 49)
    }
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
def test_a_violation_is_relative_to_each_bound(metrics, expected):
    assert constraint_violation(LIMITED, metrics) == expected


def test_standardized():
    assert np.allclose(standardized(np.array([1.0, 2.0, 3.0])), np.array([-1, 0, 1]) * 1.5**0.5)
    assert (standardized(np.full(3, 0.1)) == 0).all()


@given(metrics)
def test_a_trial_is_within_its_limits_exactly_where_the_goal_says_so(found):
    trial = ConstrainedLoss.of(SCORED, found)
    assert (trial.mean_violation == 0) == SCORED.feasible(found)
    assert 0 <= trial.mean_violation <= 1
    assert all(-1 <= violation <= 1 for violation in trial.violations)


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_the_farther_beyond_a_limit_the_larger_the_violation(first, second):
    trials = [
        ConstrainedLoss.of(SCORED, {"score": 1.0, "cost": 8 + by, "speed": 3.0}) for by in sorted((first, second))
    ]
    assert 0 < trials[0].violations[0] <= trials[1].violations[0] < 1
    assert trials[0].mean_violation <= trials[1].mean_violation


@given(st.lists(metrics, max_size=12))
def test_penalized_losses_keep_the_order_of_the_feasible_and_put_the_rest_behind(history):
    trials = [ConstrainedLoss.of(SCORED, found) for found in history]
    losses = penalized_losses(trials, scalarized_losses(trials, [1.0]))
    assert all(map(math.isfinite, losses))
    kept = [(SCORED.gains(f)[0], loss) for f, loss in zip(history, losses, strict=True) if SCORED.feasible(f)]
    rest = [loss for f, loss in zip(history, losses, strict=True) if not SCORED.feasible(f)]
    assert all(loss == -gain for gain, loss in kept)
    assert not kept or not rest or min(rest) > max(loss for _, loss in kept)


def test_a_failure_is_as_bad_as_the_worst_and_behind_all_where_limits_do_not_tell():
    trials = [ConstrainedLoss.of(SCORED, {"score": score, "cost": 1.0, "speed": 3.0}) for score in (1.0, 5.0)]
    trials.append(ConstrainedLoss.of(SCORED, {}))
    assert scalarized_losses(trials, [1.0]) == [-1.0, -5.0, -1.0]
    assert penalized_losses(trials, scalarized_losses(trials, [1.0])) == [-1.0, -5.0, 3.0]


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=2, max_size=9), st.floats(0.01, 0.99))
def test_what_is_dominated_is_worse_under_any_weights(points, weight):
    trials = [ConstrainedLoss.of(SEVERAL, {"score": score, "cost": cost}) for score, cost in points]
    losses = scalarized_losses(trials, [weight, 1 - weight])
    for (score, cost), loss in zip(points, losses, strict=True):
        for (other_score, other_cost), other in zip(points, losses, strict=True):
            if score >= other_score and cost <= other_cost:
                assert loss <= other + 1e-12


def test_the_weights_move_the_best_along_the_front():
    trials = [ConstrainedLoss.of(SEVERAL, {"score": float(i), "cost": float(i)}) for i in range(5)]
    best = [min(range(5), key=scalarized_losses(trials, [w, 1 - w]).__getitem__) for w in (0.05, 0.5, 0.95)]
    assert best == [0, 2, 4]
