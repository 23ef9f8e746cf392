from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.optimizer import Trial
from optiproxy.optimizer.acquisition import (
    FLAT,
    HypervolumeImprovement,
    PredictedSum,
    UpperConfidenceBound,
    log_improvement,
)
from optiproxy.optimizer.records import History, Problem
from optiproxy.proxy import Prediction
from optiproxy.proxy.targets import Normalization, Standard
from optiproxy.spaces import FlatSpace

SCORE = st.floats(-3, 3, width=32)
STD = st.floats(0.015625, 2, width=32)
ONE = torch.ones(1, 1)
STANDARD = Normalization(objectives=Standard.fit, limits=Standard.fit)


def value(mean, std, preferences=ONE, settings=None):
    prediction = Prediction(torch.tensor([mean]), torch.tensor([std]))
    return float((settings or UpperConfidenceBound())(prediction, preferences))


@given(SCORE, SCORE, STD)
def test_a_better_mean_is_worth_more(low, high, std):
    low, high = sorted((low, high))
    assert value([low], [std]) <= value([high], [std])
    assert value([high + 0.5], [std]) > value([high], [std])


@given(SCORE, STD)
def test_the_bound_lies_beta_standard_deviations_above_the_mean(mean, std):
    optimistic, neutral = (value([mean], [std], settings=UpperConfidenceBound(beta=k)) for k in (2.0, 0.0))
    assert neutral == pytest.approx(mean, abs=1e-6)
    assert optimistic - neutral == pytest.approx(2.0 * std, abs=1e-5)


@given(SCORE, SCORE, STD)
def test_a_limit_never_adds_and_weighs_less_the_surer_it_is_kept(mean, slack, std):
    free = value([mean], [0.1])
    limited = value([mean, slack], [0.1, std])
    assert limited <= free
    assert value([mean, slack + 1.0], [0.1, std]) >= limited
    assert value([mean, 10.0], [0.1, 0.5]) == pytest.approx(free, abs=1e-5)
    assert value([mean, -10.0], [0.1, 0.5]) < free - 10


def test_what_surely_breaks_a_limit_still_shows_the_way():
    """The logarithm keeps its slope where the probability itself is zero in floats."""
    mean = torch.tensor([[0.0, -40.0]], requires_grad=True)
    found = UpperConfidenceBound()(Prediction(mean, torch.full((1, 2), 0.5)), ONE)
    (gradient,) = torch.autograd.grad(found.sum(), mean)
    assert found.isfinite().all()
    assert float(gradient[0, 1]) > 1
    assert gradient.isfinite().all()


def test_every_part_of_a_front_is_the_best_for_some_preference():
    """Also the hollow ones, which no weighted sum prefers; what another one beats in everything is never the best."""
    front = torch.tensor([[3.0, -3.0], [0.5, -1.5], [-1.0, -1.0], [-1.5, 0.5], [-3.0, 3.0], [-1.7, -1.7]])
    weights = torch.linspace(0.01, 0.99, 99)
    preferences = torch.stack([weights, 1 - weights], 1)
    values = torch.stack(
        [
            UpperConfidenceBound(beta=0.0)(Prediction(front, torch.full_like(front, 0.1)), row.expand(len(front), -1))
            for row in preferences
        ]
    )
    assert set(values.argmax(1).tolist()) == {0, 1, 2, 3, 4}


@given(st.lists(SCORE, min_size=3, max_size=3), st.integers(0, 2), st.lists(st.floats(0.1, 1), min_size=3, max_size=3))
def test_improving_any_of_several_objectives_is_worth_more(mean, improved, weights):
    preferences = torch.tensor([weights]) / sum(weights)
    better = [m + (i == improved) for i, m in enumerate(mean)]
    assert value(better, [0.5] * 3, preferences) > value(mean, [0.5] * 3, preferences)


def test_rows_do_not_mix():
    mean, std = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.full((6, 3), 0.3)
    preferences = torch.tensor([[0.2, 0.8]]).expand(6, -1)
    together = UpperConfidenceBound()(Prediction(mean, std), preferences)
    assert together.shape == (6,)
    for i in range(6):
        alone = value(mean[i].tolist(), std[i].tolist(), preferences[:1])
        assert alone == pytest.approx(float(together[i]), abs=1e-5)


NEUTRAL = HypervolumeImprovement(UpperConfidenceBound(beta=0.0))
WORST = torch.tensor([0.0, 0.0])
HALVES = st.integers(0, 6).map(lambda n: n / 2)
point = st.tuples(HALVES, HALVES)


def worth(points, front, improvement=NEUTRAL, slack=()):
    mean = torch.tensor([[*map(float, p), *slack] for p in points])
    told = torch.tensor(front, dtype=torch.float64).reshape(len(front), 2)
    return improvement.improvement(Prediction(mean, torch.full_like(mean, 0.1)), told, WORST).tolist()


def area(points):
    """Of what the points dominate, counted in squares of half a unit."""
    squares = [(x / 2, y / 2) for x in range(6) for y in range(6)]
    return sum(any(a > x and b > y for a, b in points) for x, y in squares) / 4


@given(st.lists(point, max_size=5), st.lists(point, min_size=1, max_size=4))
def test_a_candidate_is_worth_the_area_that_it_adds(front, candidates):
    found = worth(candidates, front)
    for candidate, value in zip(candidates, found, strict=True):
        added = area([*front, candidate]) - area(front)
        # Apart from the small part that orders what adds nothing.
        assert value == pytest.approx(math.log(added + FLAT), abs=0.02)


def test_among_dominated_candidates_the_one_nearer_to_the_front_comes_first():
    near, far, beyond = worth([(0.9, 0.9), (0.2, 0.2), (1.5, 0.9)], [(1, 1)])
    assert beyond > near > far


def test_the_bound_can_add_what_the_mean_does_not():
    assert worth([(1, 1)], [(1, 1)], HypervolumeImprovement(UpperConfidenceBound(beta=2.0))) > worth([(1, 1)], [(1, 1)])


def test_a_limit_that_is_broken_makes_a_candidate_worth_less():
    kept, broken = (worth([(2, 2)], [(1, 1)], slack=(slack,))[0] for slack in (3.0, -3.0))
    assert kept == pytest.approx(worth([(2, 2)], [(1, 1)])[0], abs=1e-3)
    assert broken < kept


def test_before_anything_is_feasible_the_volume_itself_counts():
    assert worth([(1, 2), (3, 3)], []) == pytest.approx([math.log(2), math.log(9)], abs=0.02)


def history(goal, metrics):
    """Of as many architectures of a flat space."""
    problem = Problem(FlatSpace({"a": [*range(9)]}), goal, 0)
    trials = [Trial((i,), found) for i, found in enumerate(metrics)]
    return History.of(trials, problem, STANDARD(goal, metrics))


def test_with_one_objective_and_few_trials_candidates_are_ranked_by_the_bound():
    goal = Goal((Objective("x"),))
    prediction = Prediction(torch.randn(5, 1), torch.rand(5, 1) + 0.1)
    told = history(goal, [{"x": 1.0}, {"x": 2.0}])
    one = HypervolumeImprovement().rank(prediction, ONE, told, goal)
    assert torch.equal(one, UpperConfidenceBound().rank(prediction, ONE, told, goal))
    assert torch.equal(one[0], UpperConfidenceBound().after(2)(prediction, ONE.expand(5, -1)))


@pytest.mark.parametrize("mean", [-0.5, 0.0, 0.9, 1.4, 3.0])
@pytest.mark.parametrize("std", [0.2, 1.0])
@pytest.mark.parametrize("near", [0.0, 0.1])
def test_with_more_trials_they_are_ranked_by_what_they_improve_on_average(mean, std, near):
    goal = Goal((Objective("x"),))
    told = history(goal, [{"x": 1.0}, {"x": 2.0}])
    best = float(told.reached.max())
    found = HypervolumeImprovement(few=2, near=near).rank(
        Prediction(torch.tensor([[mean]]), torch.tensor([[std]])), ONE.expand(3, -1), told, goal
    )
    assert found.shape == (3, 1)
    scores = np.linspace(-9, 9, 200_001) * std + mean
    density = np.exp(-0.5 * ((scores - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
    expected = np.trapezoid(np.maximum(scores - (best - near), 0.0) * density, scores)
    assert found[0, 0].item() == pytest.approx(math.log(expected), abs=1e-3)


def test_what_hardly_ever_keeps_its_limit_is_not_tried_for_the_little_that_it_may_improve():
    """Beside what is known to be good and to keep it, even where nothing is left to gain there."""
    goal = Goal((Objective("x"),), (Limit("y", 0.0),))
    told = history(goal, [{"x": 1.0, "y": -1.0}, {"x": 2.0, "y": -1.0}])
    best = float(told.reached.max())
    prediction = Prediction(torch.tensor([[best, 1.0], [best, -1.5]]), torch.tensor([[0.02, 0.5], [1.0, 1.0]]))
    safe, risky = HypervolumeImprovement(few=2).rank(prediction, ONE, told, goal)[0]
    assert safe > risky
    safe, risky = HypervolumeImprovement(few=2, near=0.0, feasibility_weight=1.0).rank(prediction, ONE, told, goal)[0]
    assert safe < risky


@given(st.floats(-1e4, 50))
def test_an_improvement_that_no_float_can_hold_still_has_a_logarithm(z):
    """And it grows with the mean, so that candidates far below the best are still told apart."""
    found = log_improvement(torch.tensor([z, z + 1e-2 * abs(z) + 1e-3], dtype=torch.float64))
    assert found.isfinite().all()
    assert found[1] > found[0]


def test_noise_makes_nothing_worth_trying_again():
    """Of two that are known as well, noise counts for neither; a limit is judged by what is measured."""
    quiet = Prediction(torch.zeros(1, 2), torch.full((1, 2), 0.1))
    noisy = Prediction(quiet.mean, quiet.std, torch.tensor([[3.0, 0.0]]))
    assert torch.equal(UpperConfidenceBound()(quiet, ONE), UpperConfidenceBound()(noisy, ONE))
    assert noisy.measured[0].tolist() == pytest.approx([math.hypot(0.1, 3.0), 0.1])
    sure = Prediction(torch.tensor([[0.0, 1.0]]), quiet.std)
    chance = Prediction(sure.mean, sure.std, torch.tensor([[0.0, 3.0]]))
    assert UpperConfidenceBound()(chance, ONE) < UpperConfidenceBound()(sure, ONE)


def test_before_anything_is_feasible_the_bound_ranks():
    goal = Goal((Objective("x"),), (Limit.parse("x<=-5"),))
    told = history(goal, [{"x": 1.0}, {"x": 2.0}])
    prediction = Prediction(torch.randn(5, 2), torch.rand(5, 2) + 0.1)
    found = HypervolumeImprovement(few=0).rank(prediction, ONE, told, goal)
    assert torch.equal(found, UpperConfidenceBound().rank(prediction, ONE, told, goal))


def test_optimism_grows_with_the_trials():
    bound = UpperConfidenceBound(beta=2.5, first=1.0, growth=25)
    assert [bound.after(n).beta for n in (0, 10, 25, 100)] == pytest.approx([1.0, 1.6, 2.5, 2.5])
    assert bound.after(10).after(50) == bound.after(10)
    assert UpperConfidenceBound(beta=0.5).after(0).beta == 0.5
    prediction = Prediction(torch.zeros(2, 1), torch.tensor([[1.0], [2.0]]))
    told = history(Goal((Objective("x"),)), [{"x": float(i)} for i in range(9)])
    (ranked,) = bound.rank(prediction, ONE, told, Goal((Objective("x"),)))
    assert ranked.tolist() == pytest.approx([bound.after(9).beta, 2 * bound.after(9).beta])


def test_the_published_sum_ranks_last_what_is_predicted_to_exceed_a_limit_by_more_than_the_tolerance():
    goal = Goal((Objective("x"),), (Limit("cost", 10.0),))
    # Slacks of -10 to 10 have a standard deviation of 8.16 and a mean of 0.
    told = history(goal, [{"x": 0.0, "cost": 20.0}, {"x": 1.0, "cost": 10.0}, {"x": 2.0, "cost": 0.0}])
    slack = torch.tensor([-2.9, -3.1, 0.0]) / np.std([-10, 0, 10])
    mean = torch.stack([torch.tensor([1.0, 5.0, 0.0]), slack.float()], 1)
    prediction = Prediction(mean, torch.zeros_like(mean))
    (row,) = PredictedSum(tolerance=0.3).rank(prediction, ONE, told, goal)
    assert row.tolist() == [pytest.approx(float(mean[0].sum())), -math.inf, pytest.approx(0.0)]
    assert torch.equal(PredictedSum()(prediction, ONE), mean.sum(1))
