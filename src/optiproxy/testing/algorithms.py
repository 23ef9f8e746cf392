"""What every search algorithm keeps to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

from optiproxy.metrics import Goal, Limit, Metrics, Objective
from optiproxy.optimizer import Algorithm, AlgorithmFactory, Proposal, Trial
from optiproxy.spaces import Architecture, FlatSpace, Float, RestrictedSpace, Space

GOAL = Goal((Objective("score", "max"),))
LIMITED = Goal((Objective("score", "max"),), (Limit("cost", 8.0),))
SEVERAL = Goal((Objective("score", "max"), Objective("cost", "min")), (Limit("cost", 10.0),))


class AlgorithmConformance:
    """Subclasses define the fixture ``algorithm``, which returns the `AlgorithmFactory` to test.

    It must be importable, a class or a function of a module, because other processes build it, too.

    The fixture ``process`` may be overridden where the algorithm's package lives in another environment or takes long to load.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def process(cls) -> Iterator[Executor]:
        """Another Python process, which has inherited nothing of this one; the same for all tests of a class."""
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield pool

    @pytest.mark.parametrize("goal", [GOAL, LIMITED, SEVERAL], ids=["one-objective", "limit", "several-objectives"])
    def test_proposes_new_valid_architectures(self, algorithm: AlgorithmFactory, goal: Goal) -> None:
        """Whatever the goal: valid, in the number asked for, and no network twice, finished or pending."""
        space = RestrictedSpace(_Unordered(decisions=4, choices=4), lambda a: sum(a) % 3 > 0)
        optimizer = algorithm(space, goal, seed=0)
        trials: list[Trial] = []
        for _ in range(3):
            optimizer.observe(trials)
            first = optimizer.propose(2)
            second = optimizer.propose(2, [proposal.architecture for proposal in first])
            assert len(first) == len(second) == 2
            for proposal in (*first, *second):
                assert space.is_valid(proposal.architecture)
                assert set(proposal.predicted) <= set(goal.metric_names)
                assert all(math.isfinite(value) for value in proposal.predicted.values())
                assert set(proposal.intervals) <= set(proposal.predicted)
                assert all(-math.inf < low < high < math.inf for low, high in proposal.intervals.values())
            trials += [_trained(proposal) for proposal in (*first, *second)]
        _check_all_different(space, [trial.architecture for trial in trials])

    def test_exhausts_a_space_and_then_proposes_nothing(self, algorithm: AlgorithmFactory) -> None:
        space = _Unordered(decisions=2, choices=4)
        optimizer = algorithm(space, GOAL, seed=0)
        trials = _search(optimizer, rounds=20, n=3)
        _check_all_different(space, [trial.architecture for trial in trials])
        assert len(trials) == 10  # of 16 combinations, as the order of the two decisions makes no difference
        assert optimizer.propose(1) == []

    def test_nothing_is_left_while_the_rest_is_pending(self, algorithm: AlgorithmFactory) -> None:
        space = FlatSpace({"a": [1, 2], "b": [1, 2]})
        optimizer = algorithm(space, GOAL, seed=0)
        optimizer.observe([Trial((0, 0), {"score": 1.0})])
        assert {proposal.architecture for proposal in optimizer.propose(9, [(0, 1), (1, 1)])} == {(1, 0)}
        assert optimizer.propose(1, [(0, 1), (1, 1), (1, 0)]) == []

    def test_the_same_seed_proposes_the_same_also_in_another_process(
        self, algorithm: AlgorithmFactory, process: Executor
    ) -> None:
        here = _history(algorithm, seed=3)
        assert _history(algorithm, seed=3) == here
        assert process.submit(_history, algorithm, seed=3).result() == here

    def test_another_seed_proposes_something_else(self, algorithm: AlgorithmFactory) -> None:
        assert _history(algorithm, seed=1) != _history(algorithm, seed=2)

    def test_a_replayed_search_goes_on_as_if_it_had_not_been_interrupted(self, algorithm: AlgorithmFactory) -> None:
        space = _Unordered(decisions=4, choices=4)
        uninterrupted = algorithm(space, LIMITED, seed=0)
        trials = _search(uninterrupted, rounds=3, n=3)
        replayed = algorithm(space, LIMITED, seed=0)
        replayed.observe(trials)
        pending = [(0, 1, 2, 3)]
        expected = uninterrupted.propose(2, pending)
        assert replayed.propose(2, pending) == expected
        # Proposals depend on the trials and the pending architectures, not on how often one has asked.
        assert replayed.propose(2, pending) == expected

    def test_leaves_what_it_is_given_alone(self, algorithm: AlgorithmFactory) -> None:
        space = _Unordered(decisions=3, choices=3)
        optimizer = algorithm(space, GOAL, seed=0)
        trials = [_trained(Proposal(architecture)) for architecture in [(0, 0, 1), (2, 1, 0)]]
        pending = [(0, 0, 0)]
        copies = [Trial(trial.architecture, dict(trial.metrics)) for trial in trials]
        optimizer.observe(trials)
        optimizer.propose(2, pending)
        assert trials == copies
        assert pending == [(0, 0, 0)]

    @pytest.mark.parametrize("goal", [LIMITED, SEVERAL], ids=["limit", "several-objectives"])
    @pytest.mark.parametrize(
        "metrics",
        [
            {},
            {"score": math.nan, "cost": math.nan},
            {"score": math.inf, "cost": -math.inf},
            {"score": 1.0},
            {"cost": 1.0},
            {"score": 1.0, "cost": 1e9},
        ],
        ids=["failed", "nan", "infinite", "limit-not-measured", "objective-not-measured", "infeasible"],
    )
    def test_goes_on_when_nothing_succeeds(self, algorithm: AlgorithmFactory, metrics: Metrics, goal: Goal) -> None:
        space = _Unordered(decisions=3, choices=3)
        optimizer = algorithm(space, goal, seed=0)
        trials: list[Trial] = []
        for _ in range(3):
            proposals = optimizer.propose(3)
            assert len(proposals) == 3
            trials += [Trial(proposal.architecture, metrics) for proposal in proposals]
            optimizer.observe(trials)
        _check_all_different(space, [trial.architecture for trial in trials])

    def test_goes_on_when_some_fail(self, algorithm: AlgorithmFactory) -> None:
        space = _Unordered(decisions=4, choices=3)
        optimizer = algorithm(space, LIMITED, seed=0)
        trials: list[Trial] = []
        for n in range(12):
            (proposal,) = optimizer.propose(1)
            trials.append(Trial(proposal.architecture, {}) if n % 3 == 1 else _trained(proposal))
            optimizer.observe(trials)
        _check_all_different(space, [trial.architecture for trial in trials])

    def test_accepts_trials_that_it_did_not_propose(self, algorithm: AlgorithmFactory) -> None:
        """A study may hold the same network twice, evaluated by someone else."""
        space = _Unordered(decisions=3, choices=3)
        optimizer = algorithm(space, GOAL, seed=0)
        trials = [_trained(Proposal(architecture)) for architecture in [(0, 1, 2), (2, 1, 0), (0, 1, 2), (1, 1, 1)]]
        optimizer.observe(trials)
        proposed = [proposal.architecture for proposal in optimizer.propose(4)]
        assert len(proposed) == 4
        _check_all_different(space, [(0, 1, 2), (1, 1, 1), *proposed])

    def test_searches_a_space_whose_decisions_have_one_choice(self, algorithm: AlgorithmFactory) -> None:
        optimizer = algorithm(FlatSpace({"fixed": ["only"], "open": [1, 2, 3]}), GOAL, seed=0)
        assert sorted(trial.architecture for trial in _search(optimizer, rounds=3, n=2)) == [(0, 0), (0, 1), (0, 2)]

    def test_searches_a_space_of_one_architecture(self, algorithm: AlgorithmFactory) -> None:
        optimizer = algorithm(FlatSpace({"fixed": ["only"]}), GOAL, seed=0)
        assert [trial.architecture for trial in _search(optimizer, rounds=2, n=5)] == [(0,)]

    def test_searches_numbers_beside_categories_and_under_conditions(self, algorithm: AlgorithmFactory) -> None:
        """Valid, new, within all ranges, and after a replay the same."""
        space = _mixed()
        optimizer = algorithm(space, GOAL, seed=0)
        trials: list[Trial] = []
        for _ in range(4):
            optimizer.observe(trials)
            first = optimizer.propose(2)
            second = optimizer.propose(2, [proposal.architecture for proposal in first])
            assert len(first) == len(second) == 2
            trials += [_tuned(space, proposal.architecture) for proposal in (*first, *second)]
        for trial in trials:
            assert space.is_valid(trial.architecture)
            assert space.architecture(space.values(trial.architecture)) == trial.architecture
        _check_all_different(space, [trial.architecture for trial in trials])
        replayed = algorithm(space, GOAL, seed=0)
        replayed.observe(trials)
        optimizer.observe(trials)
        assert replayed.propose(2) == optimizer.propose(2)

    def test_does_not_run_out_of_a_continuous_number(self, algorithm: AlgorithmFactory) -> None:
        space = FlatSpace({"rate": Float(0.0, 1.0)})
        known = [_tuned(space, architecture) for architecture in space.sample(np.random.default_rng(0), 40)]
        optimizer = algorithm(space, GOAL, seed=0)
        optimizer.observe(known)
        found = [proposal.architecture for proposal in optimizer.propose(3)]
        assert len(found) == 3
        _check_all_different(space, [*dict.fromkeys(trial.architecture for trial in known), *found])

    def test_proposes_nothing_where_nothing_is_valid(self, algorithm: AlgorithmFactory) -> None:
        space = RestrictedSpace(FlatSpace({"a": [1, 2], "b": [1, 2]}), lambda _: False)
        assert algorithm(space, GOAL, seed=0).propose(2) == []


class _Unordered(FlatSpace):
    """Decisions with equal choices, of which only the multiset counts: many architectures are isomorphic."""

    def __init__(self, *, decisions: int, choices: int) -> None:
        super().__init__({f"layer{d}": list(range(choices)) for d in range(decisions)}, name="unordered")

    def canonical(self, architecture: Architecture) -> Architecture:
        return tuple(sorted(architecture))


def _mixed() -> Space:
    """A category, a few and many integers, a float on a logarithmic scale, and a number that matters to one category."""

    def suggest(trial: Any) -> None:  # noqa: ANN401 - of Optuna or of ours
        optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam", "lion"])
        trial.suggest_int("depth", 1, 4)
        trial.suggest_int("width", 8, 512, log=True)
        trial.suggest_float("rate", 1e-4, 1e-1, log=True)
        if optimizer == "adam":
            trial.suggest_float("decay", 0.0, 0.5)

    return RestrictedSpace(Space.from_optuna(suggest), lambda architecture: architecture[1] + architecture[2] > 20)


def _tuned(space: Space, architecture: Architecture) -> Trial:
    """A made-up training that is best in the middle of every scale."""
    decisions = zip(space.decisions, architecture, strict=True)
    places = [0.0 if d.scale is None else d.scale.unit(position) for d, position in decisions]
    return Trial(architecture, {"score": -sum((place - 0.5) ** 2 for place in places)})


def _history(algorithm: AlgorithmFactory, *, seed: int) -> list[Architecture]:
    """What a short search on a space of 4,096 architectures evaluates, in order."""
    space = FlatSpace({f"layer{d}": [1, 2, 4, 8] for d in range(6)})
    return [trial.architecture for trial in _search(algorithm(space, LIMITED, seed=seed), rounds=3, n=4)]


def _search(algorithm: Algorithm, *, rounds: int, n: int) -> list[Trial]:
    trials: list[Trial] = []
    for _ in range(rounds):
        trials += [_trained(proposal) for proposal in algorithm.propose(n)]
        algorithm.observe(trials)
    return trials


def _trained(proposal: Proposal) -> Trial:
    """A made-up training: smooth in the choices, indifferent to their order, with a cost that grows with them."""
    positions = np.array(proposal.architecture, dtype=float)
    score = 90.0 - float(((positions - 1.5) ** 2).sum()) + 0.1 * math.sin(float(positions.sum()))
    return Trial(proposal.architecture, {"score": score, "cost": float(positions.sum())})


def _check_all_different(space: Space, architectures: Sequence[Architecture]) -> None:
    assert len({space.canonical(architecture) for architecture in architectures}) == len(architectures)
