from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from optiproxy.baselines.packages.outcomes import Outcome, joined, penalised
from optiproxy.metrics import Goal, Limit, Objective

LIMITED = Goal((Objective("score"),), (Limit("cost", 8.0), Limit("speed", 2.0, ">=")))
SEVERAL = Goal((Objective("score"), Objective("cost", "min")))

values = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=16))
metrics = st.fixed_dictionaries({"score": values, "cost": values, "speed": values}).map(
    lambda found: {name: value for name, value in found.items() if value is not None}
)


@given(metrics)
def test_a_trial_is_within_its_limits_exactly_where_the_goal_says_so(found):
    outcome = Outcome.of(LIMITED, found)
    assert (outcome.excess == 0) == LIMITED.feasible(found)
    assert 0 <= outcome.excess <= 1
    assert all(-1 <= violation <= 1 for violation in outcome.violations)


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_the_farther_beyond_a_limit_the_larger_the_violation(first, second):
    outcomes = [Outcome.of(LIMITED, {"score": 1.0, "cost": 8 + by, "speed": 3.0}) for by in sorted((first, second))]
    assert 0 < outcomes[0].violations[0] <= outcomes[1].violations[0] < 1
    assert outcomes[0].excess <= outcomes[1].excess


@given(st.lists(metrics, max_size=12))
def test_penalised_losses_keep_the_order_of_the_feasible_and_put_the_rest_behind(history):
    outcomes = [Outcome.of(LIMITED, found) for found in history]
    losses = penalised(outcomes, joined(outcomes, [1.0]))
    assert all(map(math.isfinite, losses))
    kept = [(LIMITED.gains(f)[0], loss) for f, loss in zip(history, losses, strict=True) if LIMITED.feasible(f)]
    rest = [loss for f, loss in zip(history, losses, strict=True) if not LIMITED.feasible(f)]
    assert all(loss == -gain for gain, loss in kept)
    assert not kept or not rest or min(rest) > max(loss for _, loss in kept)


def test_a_failure_is_as_bad_as_the_worst_and_behind_all_where_limits_do_not_tell():
    outcomes = [Outcome.of(LIMITED, {"score": score, "cost": 1.0, "speed": 3.0}) for score in (1.0, 5.0)]
    outcomes.append(Outcome.of(LIMITED, {}))
    assert joined(outcomes, [1.0]) == [-1.0, -5.0, -1.0]
    assert penalised(outcomes, joined(outcomes, [1.0])) == [-1.0, -5.0, 3.0]


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=2, max_size=9), st.floats(0.01, 0.99))
def test_what_is_dominated_is_worse_under_any_weights(points, weight):
    outcomes = [Outcome.of(SEVERAL, {"score": score, "cost": cost}) for score, cost in points]
    losses = joined(outcomes, [weight, 1 - weight])
    for (score, cost), loss in zip(points, losses, strict=True):
        for (other_score, other_cost), other in zip(points, losses, strict=True):
            if score >= other_score and cost <= other_cost:
                assert loss <= other + 1e-12


def test_the_weights_move_the_best_along_the_front():
    outcomes = [Outcome.of(SEVERAL, {"score": float(i), "cost": float(i)}) for i in range(5)]
    best = [min(range(5), key=joined(outcomes, [w, 1 - w]).__getitem__) for w in (0.05, 0.5, 0.95)]
    assert best == [0, 2, 4]
