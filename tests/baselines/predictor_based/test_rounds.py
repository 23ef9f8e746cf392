from __future__ import annotations

import numpy as np

from optiproxy.baselines.predictor_based.rounds import RoundConfig, RoundSearch
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Trial
from optiproxy.optimizer.schedule import Batches
from optiproxy.spaces import FlatSpace, RestrictedSpace

GOAL = Goal((Objective("score"),))
SPACE = FlatSpace({"a": [*range(10)], "b": [*range(10)]})


class _Nearest(RoundSearch):
    """Ranks everything by the distance to the best trial; remembers what it was asked."""

    settings = RoundConfig

    def __init__(self, space=SPACE, goal=GOAL, *, seed=0, schedule=None):
        super().__init__(space, goal, seed=seed, config=RoundConfig(schedule=schedule or Batches(3, 4)))
        self.asked = []

    def _rank(self, history, rng):
        self.asked.append(len(history.architectures))
        (best,) = history.best(1)
        return sorted(self._space.everything(), key=lambda a: (abs(np.subtract(a, best)).sum(), a))


def _search(algorithm, *, budget, n=1):
    trials: list[Trial] = []
    while len(trials) < budget:
        algorithm.observe(trials)
        trials += [Trial(p.architecture, {"score": float(sum(p.architecture))}) for p in algorithm.propose(n)]
    return trials


def test_ranks_once_per_round_and_from_its_beginning():
    algorithm = _Nearest()
    _search(algorithm, budget=16)
    assert algorithm.asked == [3, 7, 11, 15]


def test_a_batch_at_once_is_the_batch_one_by_one():
    one_by_one = _search(_Nearest(), budget=15)
    algorithm = _Nearest()
    trials = one_by_one[:3]
    for _ in range(3):
        algorithm.observe(trials)
        trials = trials + [Trial(p.architecture, {"score": float(sum(p.architecture))}) for p in algorithm.propose(4)]
    assert [trial.architecture for trial in trials] == [trial.architecture for trial in one_by_one]


def test_what_finishes_within_a_round_does_not_change_it():
    trials = _search(_Nearest(), budget=4)
    algorithm = _Nearest()
    algorithm.observe(trials)
    expected = algorithm.propose(2)
    other = _Nearest()
    other.observe([*trials[:3], Trial(trials[3].architecture, {"score": 1e9})])
    assert other.propose(2) == expected


def test_pending_ones_are_passed_over():
    algorithm = _Nearest()
    algorithm.observe(_search(_Nearest(), budget=3))
    first, second, third = (p.architecture for p in algorithm.propose(3))
    assert [p.architecture for p in algorithm.propose(2, [second])] == [first, third]


def test_invalid_ones_are_passed_over():
    space = RestrictedSpace(SPACE, lambda a: a[0] % 2 == 0)
    trials = _search(_Nearest(space), budget=30)
    assert all(trial.architecture[0] % 2 == 0 for trial in trials)


def test_nothing_is_ranked_while_there_is_nothing_to_learn():
    algorithm = _Nearest()
    trials = [Trial((i, i), {}) for i in range(5)]
    algorithm.observe(trials)
    assert len(algorithm.propose(3)) == 3
    assert algorithm.asked == []


def test_random_ones_follow_the_ranking():
    space = FlatSpace({"a": [0, 1, 2]})

    class Empty(_Nearest):
        def _rank(self, history, rng):
            return []

    algorithm = Empty(space, schedule=Batches(2, 2))
    assert sorted(trial.architecture for trial in _search(algorithm, budget=3)) == [(0,), (1,), (2,)]
