from __future__ import annotations

import numpy as np

from optiproxy.baselines.predictor_based.rounds import WHOLE, RoundConfig, RoundSearch, best_first, mutants, pool
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Trial
from optiproxy.optimizer.schedule import Batches
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import FlatSpace, NASBench201, RestrictedSpace

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


def _distance(a, b):
    return sum(x != y for x, y in zip(a, b, strict=True))


def test_parents_have_about_as_many_children():
    space = FlatSpace({str(d): [*range(5)] for d in range(10)})
    parents = [(0,) * 10, (4,) * 10]
    found = mutants(space, parents, 21, seen=Seen(space, parents), rng=np.random.default_rng(0))
    assert [sum(_distance(parent, child) == 1 for child in found) for parent in parents] == [11, 10]


def test_children_are_new_canonical_and_different():
    space = NASBench201()
    rng = np.random.default_rng(0)
    parents = space.sample(rng, 3)
    seen = Seen(space, [*parents, *space.neighbours(parents[0])[:10]])
    found = mutants(space, parents, 40, seen=seen, rng=rng)
    assert len(set(found)) == len(found) == 40
    assert all(space.canonical(child) == child and child not in seen for child in found)


def test_grandchildren_follow_where_the_neighbours_run_out():
    space = FlatSpace({"a": [0, 1, 2], "b": [0, 1, 2], "c": [0, 1, 2]})
    found = mutants(space, [(0, 0, 0)], 20, seen=Seen(space, [(0, 0, 0)]), rng=np.random.default_rng(0))
    assert [_distance(child, (0, 0, 0)) for child in found] == [1] * 6 + [2] * 12 + [3] * 2


def test_ends_when_the_space_does():
    space = FlatSpace({"a": [0, 1], "b": [0, 1]})
    rng = np.random.default_rng(0)
    assert len(mutants(space, [(0, 0)], 99, seen=Seen(space, [(0, 0)]), rng=rng)) == 3
    everything = list(space.everything())
    assert mutants(space, everything, 99, seen=Seen(space, everything), rng=rng) == []
    assert mutants(space, [], 99, seen=Seen(space), rng=rng) == []


def test_a_small_space_is_ranked_as_a_whole():
    space = NASBench201()
    rng = np.random.default_rng(0)
    assert len(pool(space, 10, seen=Seen(space), rng=rng)) == 6466
    seen = Seen(space, space.sample(rng, 50))
    assert len(pool(space, 10, seen=seen, rng=rng)) == 6466 - len(seen)


def test_of_a_large_space_some_are_drawn():
    space = FlatSpace({str(d): [*range(10)] for d in range(9)})
    assert space.size > WHOLE
    found = pool(space, 100, seen=Seen(space), rng=np.random.default_rng(0))
    assert len(set(found)) == len(found) == 100


def test_the_largest_acquisition_comes_first_and_equal_ones_keep_their_order():
    assert best_first([(0,), (1,), (2,)], lambda candidates: np.array([1.0, 3.0, 1.0])) == [(1,), (0,), (2,)]
    assert best_first([], lambda candidates: 1 / 0) == []
