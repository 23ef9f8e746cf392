from __future__ import annotations

import numpy as np

from optiproxy.baselines.predictor_based.candidates import WHOLE, best_first, mutants, pool
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import FlatSpace, NASBench201


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
