"""What holds for every baseline of our own, with parts small enough that each learns while it is tested."""

from __future__ import annotations

import numpy as np
import pytest

from optiproxy.baselines import RandomSearch
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import FlatSpace, NASBench201, RestrictedSpace
from optiproxy.spaces.pool import PoolSpace
from optiproxy.testing import AlgorithmConformance

GOAL = Goal((Objective("accuracy"),))


@pytest.mark.slow
class TestConformance(AlgorithmConformance):
    @pytest.fixture
    def algorithm(self, baseline):
        return baseline


def _search(algorithm, measure, *, budget):
    trials: list[Trial] = []
    for _ in range(budget):
        algorithm.observe(trials)
        found = algorithm.propose(1)
        if not found:
            break
        trials.append(Trial(found[0].architecture, measure(found[0].architecture)))
    return trials


def _accuracy(architecture):
    """Smooth: better with each 3x3 convolution, worse with each missing edge, and best with one way around."""
    return 60.0 + 3.0 * architecture.count(3) - 4.0 * architecture.count(0) + 2.0 * (architecture[3] == 1)


def _pool():
    base = NASBench201()
    members = dict.fromkeys(map(base.canonical, base.sample(np.random.default_rng(0), 60)))
    return PoolSpace(base, list(members))


@pytest.mark.slow
@pytest.mark.parametrize(
    "space",
    [
        NASBench201(),
        RestrictedSpace(NASBench201(), lambda architecture: architecture.count(3) <= 2),
        _pool(),
        FlatSpace({"a": [0, 1, 2], "fixed": ["x"], "c": [True, False], "d": [*range(9)]}),
    ],
    ids=["cells", "restricted", "pool", "ragged"],
)
def test_searches_any_kind_of_space(baseline, space):
    trials = _search(baseline(space, GOAL, seed=0), lambda a: {"accuracy": _accuracy(a)}, budget=12)
    assert len({space.canonical(trial.architecture) for trial in trials}) == 12
    assert all(space.is_valid(trial.architecture) for trial in trials)


@pytest.mark.slow
def test_finds_better_ones_than_random_search(learner):
    """One-sided, over fixed seeds: the mean best of 30 queries is higher by a point, a third of a convolution."""

    def mean_best(algorithm_class):
        runs = [
            _search(algorithm_class(NASBench201(), GOAL, seed=seed), lambda a: {"accuracy": _accuracy(a)}, budget=30)
            for seed in range(3)
        ]
        return np.mean([max(trial.metrics["accuracy"] for trial in run) for run in runs])

    assert mean_best(learner) > mean_best(RandomSearch) + 1.0


@pytest.mark.slow
def test_learns_to_keep_a_limit(learner):
    """Most architectures break the limit; after the first trials fewer of the proposals do."""
    goal = Goal((Objective("accuracy"),), (Limit("cost", 1.0),))

    def measure(architecture):
        return {"accuracy": _accuracy(architecture), "cost": float(architecture.count(3) + architecture.count(2))}

    def kept(algorithm_class):
        runs = [_search(algorithm_class(NASBench201(), goal, seed=seed), measure, budget=24)[4:] for seed in range(3)]
        return np.mean([goal.feasible(trial.metrics) for run in runs for trial in run])

    assert kept(RandomSearch) < 0.35
    assert kept(learner) > kept(RandomSearch)


@pytest.mark.slow
def test_minimizes_as_well_as_it_maximizes(baseline):
    """The same search whichever way the objective is written down."""
    space = NASBench201()
    up = _search(baseline(space, GOAL, seed=1), lambda a: {"accuracy": _accuracy(a)}, budget=12)
    down = _search(
        baseline(space, Goal((Objective("error", "min"),)), seed=1), lambda a: {"error": -_accuracy(a)}, budget=12
    )
    assert [trial.architecture for trial in up] == [trial.architecture for trial in down]


@pytest.mark.slow
def test_units_do_not_matter(learner):
    """A thousandth of the value, as from points to seconds, changes nothing but rounding."""
    space = NASBench201()
    points = _search(learner(space, GOAL, seed=2), lambda a: {"accuracy": _accuracy(a)}, budget=9)
    scaled = _search(learner(space, GOAL, seed=2), lambda a: {"accuracy": 1024 * _accuracy(a)}, budget=9)
    assert [trial.architecture for trial in points] == [trial.architecture for trial in scaled]
