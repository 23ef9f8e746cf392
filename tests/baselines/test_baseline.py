from __future__ import annotations

from collections import Counter

from optiproxy.baselines import RandomSearch
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import FlatSpace

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
