from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from optiproxy.baselines.packages.optuna_samplers import (
    OptunaSuggester,
    optuna_gp,
    optuna_nsga2,
    optuna_tpe,
    optuna_tpe_univariate,
)
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import FlatSpace, Float, Int, Ordered
from optiproxy.testing import AlgorithmConformance

GOAL = Goal((Objective("score"),))
LIMITED = Goal((Objective("score"),), (Limit("cost", 4.0),))
SPACE = FlatSpace({f"d{d}": ["a", "b", "c", "d"] for d in range(6)})
ALL = [optuna_tpe, optuna_tpe_univariate, optuna_nsga2, optuna_gp]


@pytest.mark.slow
class TestConformance(AlgorithmConformance):
    @pytest.fixture(params=ALL, ids=lambda make: make.__name__)
    def algorithm(self, request):
        return request.param


@pytest.fixture(scope="module")
def told():
    """150 random trials whose score, and whose cost, is the sum of their positions: 9 of 18 on average."""
    drawn = SPACE.sample(np.random.default_rng(0), 150)
    return [
        Trial(architecture, {"score": float(sum(architecture)), "cost": float(sum(architecture))})
        for architecture in drawn
    ]


def _mean_sum(make, goal, told):
    algorithms = [make(SPACE, goal, seed=seed) for seed in range(5)]
    for algorithm in algorithms:
        algorithm.observe(told)
    return sum(sum(algorithm.propose(1)[0].architecture) for algorithm in algorithms) / 5


@pytest.mark.slow
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_learns_which_way_is_better(make, told):
    assert _mean_sum(make, GOAL, told) - _mean_sum(make, Goal((Objective("score", "min"),)), told) > 4


@pytest.mark.slow
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_learns_to_keep_a_limit(make, told):
    """The objective pulls up and the limit down, which 5 % of all architectures keep."""
    assert _mean_sum(make, LIMITED, told) < 7


def test_nsga2_breeds_from_the_first_generation():
    """Whoever proposed its 50 members: what they all share, all children share, but for a few mutations."""
    first = [Trial((3, 3, i % 4, i // 4 % 4, i // 16, (i + i // 4) % 4), {"score": float(i)}) for i in range(50)]
    algorithm = optuna_nsga2(SPACE, GOAL, seed=0)
    algorithm.observe(first)
    children = [proposal.architecture for proposal in algorithm.propose(12)]
    assert sum(child[d] == 3 for child in children for d in range(2)) >= 0.7 * 24
    young = optuna_nsga2(SPACE, GOAL, seed=0)
    young.observe(first[:49])
    draws = [proposal.architecture for proposal in young.propose(12)]
    assert sum(draw[d] == 3 for draw in draws for d in range(2)) <= 0.5 * 24


def test_leaves_the_verbosity_of_optuna_as_it_was():
    before = optuna.logging.get_verbosity()
    algorithm = optuna_tpe(SPACE, GOAL, seed=0)
    algorithm.observe([Trial((0,) * 6, {"score": 1.0})])
    algorithm.propose(2)
    assert optuna.logging.get_verbosity() == before


def test_the_study_is_told_of_each_trial_once_and_keeps_nothing_pending(told):
    asked = []

    class Recording(optuna.samplers.RandomSampler):
        def sample_independent(self, study, trial, param_name, param_distribution):
            if param_name == "0":
                states = [other.state.name for other in study.get_trials(deepcopy=False)]
                asked.append((states.count("COMPLETE"), states.count("RUNNING") - 1))  # the one being asked runs too
            return super().sample_independent(study, trial, param_name, param_distribution)

    suggester = OptunaSuggester(SPACE, GOAL, sampler=Recording, attempts=1)
    for n, pending in [(3, [(0,) * 6, (1,) * 6]), (3, []), (5, [(2,) * 6])]:
        assert len(list(suggester.suggest(told[:n], pending, seed=0))) == 1
    assert asked == [(3, 2), (3, 0), (5, 1)]


def test_numbers_are_told_as_what_they_are():
    space = FlatSpace(
        {
            "rate": Float(1e-4, 1e-1, log=True),
            "dropout": Float(0.0, 0.5, step=0.1),
            "width": Int(8, 1024, log=True),
            "depth": Int(2, 9, step=2),
            "size": Ordered(["small", "medium", "large"]),
            "activation": ["relu", "gelu"],
        }
    )
    seen = []

    class Recording(optuna.samplers.RandomSampler):
        def sample_independent(self, study, trial, param_name, param_distribution):
            seen.append((study.get_trials(deepcopy=False)[0].params[param_name], param_distribution))
            return super().sample_independent(study, trial, param_name, param_distribution)

    values = {"rate": 0.003, "dropout": 0.3, "width": 100, "depth": 6, "size": "large", "activation": "gelu"}
    suggester = OptunaSuggester(space, GOAL, sampler=Recording, attempts=5)
    found = list(suggester.suggest([Trial(space.architecture(values), {"score": 1.0})], [], seed=0))
    assert seen[:6] == [
        (0.003, FloatDistribution(1e-4, 1e-1, log=True)),
        (pytest.approx(0.3), FloatDistribution(0.0, 0.5, step=0.1)),
        (100, IntDistribution(8, 1024, log=True)),
        (6, IntDistribution(2, 8, step=2)),
        (2, IntDistribution(0, 2)),
        (1, CategoricalDistribution((0, 1))),
    ]
    assert len(set(found)) == 5
    # Back as positions of the values that are nearest: Optuna's own have more digits.
    assert all(space.architecture(space.values(architecture)) == architecture for architecture in found)


@pytest.mark.slow
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_learns_which_way_is_better_of_numbers(make):
    space = FlatSpace(
        {f"rate{d}": Float(1e-4, 1e-1, log=True) for d in range(3)} | {f"depth{d}": Int(1, 9) for d in range(3)}
    )

    def mean_place(architecture):
        return np.mean([d.scale.unit(position) for d, position in zip(space.decisions, architecture, strict=True)])

    told = [Trial(a, {"score": mean_place(a)}) for a in space.sample(np.random.default_rng(0), 100)]

    def proposed(goal):
        algorithms = [make(space, goal, seed=seed) for seed in range(12)]
        for algorithm in algorithms:
            algorithm.observe(told)
        return np.mean([mean_place(algorithm.propose(1)[0].architecture) for algorithm in algorithms])

    assert proposed(GOAL) > proposed(Goal((Objective("score", "min"),))) + 0.1
