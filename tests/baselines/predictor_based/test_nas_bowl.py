from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from optiproxy.baselines.predictor_based.nas_bowl import (
    NasBowl,
    NasBowlConfig,
    expected_improvement,
    features,
    histograms,
)
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Trial
from optiproxy.optimizer.schedule import Batches
from optiproxy.spaces import FlatSpace, NASBench201

NONE, SKIP, CONV1, CONV3, POOL, IN, OUT = range(7)


def test_expected_improvement_is_the_integral():
    for mean, std, best in [(0.0, 1.0, 0.0), (1.0, 0.5, 2.0), (-1.0, 2.0, 0.5)]:
        expected, _ = quad(lambda y, m=mean, s=std, b=best: (y - b) * norm.pdf(y, m, s), best, best + 40)
        found = expected_improvement(np.array([mean]), np.array([std]), best)
        assert np.isclose(found[0], expected)


def test_one_failure_does_not_hide_the_differences_between_the_good_ones():
    """A trial a hundred times farther away than the others differ leaves most proposals as they were."""
    space = NASBench201()
    goal = Goal((Objective("accuracy"),))
    rng = np.random.default_rng(0)
    trials = [Trial(a, {"accuracy": 70.0 + a.count(3)}) for a in space.sample(rng, 20)]
    worst = min(range(20), key=lambda i: trials[i].metrics["accuracy"])
    failed = list(trials)
    failed[worst] = Trial(trials[worst].architecture, {"accuracy": 1.0})
    proposed = []
    for history in (trials, failed):
        algorithm = NasBowl(space, goal, seed=0, config=NasBowlConfig(schedule=Batches(20, 5)))
        algorithm.observe(history)
        proposed.append({p.architecture for p in algorithm.propose(5)})
    convolutions = [np.mean([a.count(3) for a in found]) for found in proposed]
    assert convolutions[0] > 2.5
    assert convolutions[1] > 2.5


def _histograms(*architectures, depth=2):
    space = NASBench201()
    return histograms(space.encode(space.one_hot(architectures)), depth)


def test_the_first_labels_are_the_live_operations():
    # The pool of edge 0->1 leads nowhere, as 1->2 and 1->3 are missing.
    (found,) = _histograms((POOL, CONV3, NONE, SKIP, NONE, CONV3))
    assert found[0] == Counter({CONV3: 2, SKIP: 1, IN: 1, OUT: 1})


def test_deeper_labels_tell_the_order_of_operations():
    first, second = _histograms((CONV1, NONE, NONE, NONE, CONV3, NONE), (CONV3, NONE, NONE, NONE, CONV1, NONE))
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_histograms_grow_with_each_iteration():
    (found,) = _histograms((CONV3, CONV3, CONV3, SKIP, CONV1, POOL), depth=3)
    assert [sum(counts.values()) for counts in found] == [8, 16, 24, 32]
    for shallow, deep in pairwise(found):
        assert shallow <= deep


def test_a_cell_without_a_way_through_has_no_labels():
    (found,) = _histograms((CONV3, CONV3, CONV3, NONE, NONE, NONE))
    assert [sum(counts.values()) for counts in found] == [0, 0, 0]


def test_symmetric_cells_are_the_same():
    """Two ways round through different nodes of the cell."""
    first, second = _histograms((CONV1, CONV3, NONE, NONE, POOL, SKIP), (CONV3, CONV1, NONE, NONE, SKIP, POOL))
    assert first == second


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_features_give_the_normalized_kernel(depth):
    space = NASBench201()
    graphs = space.encode(space.one_hot([a for a in space.sample(np.random.default_rng(0), 40) if a[3] != NONE]))
    counted = [found[depth] for found in histograms(graphs, depth)]
    vocabulary = {label: i for i, label in enumerate(dict.fromkeys(x for c in counted for x in c))}
    kernel = features(counted, vocabulary) @ features(counted, vocabulary).T
    assert np.allclose(kernel.diagonal(), 1)
    assert kernel.min() >= 0
    assert kernel.max() <= 1 + 1e-12
    a, b = counted[0], counted[1]
    lengths = [sum(x * x for x in c.values()) ** 0.5 for c in (a, b)]
    assert np.isclose(kernel[0, 1], sum(a[x] * b[x] for x in a) / lengths[0] / lengths[1])


def test_what_no_trial_has_keeps_the_length_of_a_row():
    """Else an architecture unlike all trials would look certain: its prior variance is the kernel with itself."""
    space = FlatSpace({"a": [0, 1], "b": [0, 1]})
    known, other = histograms(space.encode(space.one_hot([(0, 0), (0, 1)])), 0)
    vocabulary = {label: i for i, label in enumerate(known[0])}
    found = features([known[0], other[0]], vocabulary)
    assert found[:, -1].tolist() == [0.0, 0.5]
    assert np.allclose((found**2).sum(1), 1)
    assert np.isclose(found[0] @ found[1], 3 / 4)
