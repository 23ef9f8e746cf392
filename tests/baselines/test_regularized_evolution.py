from __future__ import annotations

import numpy as np
import pytest

from optiproxy.baselines import RandomSearch, RegularizedEvolution
from optiproxy.baselines.regularized_evolution import mutate
from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import FlatSpace, Float, NASBench201

GOAL = Goal((Objective("accuracy"),))
LIMITED = Goal((Objective("accuracy"),), (Limit("latency", 2.0), Limit("memory", 100.0)))


def _search(algorithm_class, space, goal, measure, *, budget, seed):
    algorithm = algorithm_class(space, goal, seed=seed)
    trials: list[Trial] = []
    for _ in range(budget):
        algorithm.observe(trials)
        trials.append(Trial(found := algorithm.propose(1)[0].architecture, measure(found)))
    return trials


def test_children_differ_from_a_member_of_the_population_in_one_decision():
    space = FlatSpace({str(d): [0, 1, 2, 3] for d in range(8)})
    trials = _search(RegularizedEvolution, space, GOAL, lambda a: {"accuracy": sum(a)}, budget=60, seed=0)
    for i in range(10, 60):
        distances = [
            sum(x != y for x, y in zip(trials[i].architecture, trial.architecture, strict=True))
            for trial in trials[i - 10 : i]
        ]
        assert min(distances) == 1


def test_the_old_die_even_if_they_are_the_best():
    space = FlatSpace({str(d): [0, 1, 2, 3] for d in range(8)})
    old_best = Trial((3,) * 8, {"accuracy": 100.0})
    young = [Trial((0, 0, 0, 0, 0, 0, i // 4, i % 4), {"accuracy": 1.0}) for i in range(10)]
    algorithm = RegularizedEvolution(space, GOAL, seed=0)
    algorithm.observe([old_best, *young])
    for proposal in algorithm.propose(20):
        assert sum(proposal.architecture[:6]) <= 3  # a child of the young: one decision away


def test_tournaments_put_feasible_first_then_the_smallest_relative_violation():
    space = FlatSpace({"a": [*range(50)], "b": [*range(50)]})
    cases = [
        ({"accuracy": 1.0, "latency": 1.0, "memory": 50.0}, {"accuracy": 9.0, "latency": 2.1, "memory": 50.0}),
        ({"accuracy": 1.0, "latency": 2.2, "memory": 50.0}, {"accuracy": 9.0, "latency": 1.0, "memory": 150.0}),
        ({"accuracy": 1.0, "latency": 4.0, "memory": 900.0}, {}),
        ({"accuracy": 1.0, "latency": 4.0, "memory": 900.0}, {"latency": 1.0, "memory": 1.0}),
    ]
    for better, worse in cases:
        algorithm = RegularizedEvolution(space, LIMITED, seed=0, population=2, sample=12)
        algorithm.observe([Trial((0, 0), worse), Trial((49, 49), better)])
        for proposal in algorithm.propose(8):
            assert 49 in proposal.architecture


def test_beats_random_search_on_a_smooth_landscape():
    """One-sided: over 10 fixed seeds the mean best of 60 queries is higher."""
    space = NASBench201()

    def measure(architecture):
        return {"accuracy": float(sum(c == 3 for c in architecture) - sum(c == 0 for c in architecture))}

    def mean_best(algorithm_class):
        runs = [_search(algorithm_class, space, GOAL, measure, budget=60, seed=seed) for seed in range(10)]
        return np.mean([max(trial.metrics["accuracy"] for trial in run) for run in runs])

    assert mean_best(RegularizedEvolution) > mean_best(RandomSearch)


@pytest.mark.parametrize(
    "choices", [{"a": [0]}, {"a": [0], "b": [0]}, {"a": [0, 1], "b": [0]}, {"a": [0, 1, 2], "b": [0, 1]}]
)
def test_ends_when_the_space_does(choices):
    space = FlatSpace(choices)
    algorithm = RegularizedEvolution(space, GOAL, seed=0, population=2)
    trials: list[Trial] = []
    while found := algorithm.propose(1):
        trials.append(Trial(found[0].architecture, {"accuracy": 0.0}))
        algorithm.observe(trials)
    assert len({trial.architecture for trial in trials}) == len(trials) == space.size


def test_two_objectives_breed_from_the_front():
    goal = Goal((Objective("accuracy"), Objective("latency", "min")))
    space = FlatSpace({"a": [*range(50)], "b": [*range(50)]})
    algorithm = RegularizedEvolution(space, goal, seed=0, population=3, sample=20)
    algorithm.observe(
        [
            Trial((1, 1), {"accuracy": 1.0, "latency": 1.0}),
            Trial((25, 25), {"accuracy": 0.5, "latency": 1.5}),
            Trial((40, 40), {"accuracy": 2.0, "latency": 2.0}),
        ]
    )
    parents = [{1, 40} & set(proposal.architecture) for proposal in algorithm.propose(20)]
    assert all(parents)
    assert set.union(*parents) == {1, 40}


def test_refuses_an_empty_population():
    with pytest.raises(UsageError, match="at least 1"):
        RegularizedEvolution(FlatSpace({"a": [0]}), GOAL, seed=0, population=0)


def test_a_mutant_is_any_neighbor():
    space = FlatSpace({"a": [0, 1, 2], "b": [0, 1]})
    rng = np.random.default_rng(0)
    assert {mutate(space, (0, 0), rng) for _ in range(100)} == {(1, 0), (2, 0), (0, 1)}
    assert mutate(FlatSpace({"a": [0]}), (0,), rng) == (0,)


def test_a_number_is_drawn_anew_from_all_of_its_scale_and_nothing_else_changes():
    space = FlatSpace({"rate": Float(1e-4, 1.0, log=True), "activation": ["relu", "gelu"]})
    parent = space.architecture({"rate": 1e-4, "activation": "relu"})
    rng = np.random.default_rng(0)
    children = [mutate(space, parent, rng) for _ in range(400)]
    moved = [space.points[0].unit(rate) for rate, activation in children if activation == 0]
    # Of five neighbors four have another rate.
    assert 0.7 < len(moved) / 400 < 0.9
    assert np.histogram(moved, bins=4, range=(0, 1))[0].min() > 0.15 * len(moved)
    assert {rate for rate, activation in children if activation == 1} == {parent[0]}
