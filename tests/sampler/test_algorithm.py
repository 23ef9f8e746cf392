"""Any algorithm as a sampler: no architecture is asked for twice, whoever else asks."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import optuna
import pytest

from optiproxy.baselines import RandomSearch
from optiproxy.errors import UsageError
from optiproxy.metrics import Goal
from optiproxy.optimizer import Proposal, Trial
from optiproxy.sampler import AlgorithmSampler, Parameters
from optiproxy.spaces import FlatSpace, NASBench201, Space

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optiproxy.spaces import Architecture


def test_visits_a_given_space_once_each_then_repeats_the_best(flat, score, scored, asked):
    study = optuna.create_study(direction="maximize", sampler=AlgorithmSampler(RandomSearch, flat, seed=0))
    study.optimize(scored(flat), n_trials=flat.size)
    with pytest.warns(UserWarning, match="'flat' is known, so the best is proposed again") as said:
        study.optimize(scored(flat), n_trials=3)
    visited = asked(study, flat)
    assert len(set(visited[: flat.size])) == flat.size
    assert {score(flat.values(architecture)) for architecture in visited[flat.size :]} == {study.best_value}
    assert len(said) == 1


def test_isomorphic_architectures_are_asked_once(scored, asked):
    space = NASBench201()
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, space, seed=0))
    study.optimize(scored(space), n_trials=60)
    assert len(set(asked(study, space))) == 60


def test_threads_never_ask_for_the_same_twice(flat, scored, asked):
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, flat, seed=0))
    study.optimize(scored(flat), n_trials=flat.size, n_jobs=4)
    assert len(set(asked(study, flat))) == flat.size


PROCESS = """
import sys, optuna
from optiproxy.baselines import RandomSearch
from optiproxy.sampler import AlgorithmSampler
from optiproxy.spaces import FlatSpace
optuna.logging.set_verbosity(optuna.logging.ERROR)
space = FlatSpace({"a": list(range(4)), "b": list(range(6))})
study = optuna.load_study(study_name="shared", storage=sys.argv[1], sampler=AlgorithmSampler(RandomSearch, space, seed=0))
study.optimize(lambda t: t.suggest_categorical("a", [*range(4)]) + t.suggest_categorical("b", [*range(6)]), n_trials=8)
"""


@pytest.mark.slow
def test_processes_of_the_same_seed_never_ask_for_the_same_twice(tmp_path, asked):
    """They choose alike, so only the claims keep them apart; together they visit the whole space."""
    url = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="shared", storage=url)
    processes = [subprocess.Popen([sys.executable, "-c", PROCESS, url]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    space = FlatSpace({"a": list(range(4)), "b": list(range(6))})
    assert sorted(asked(study, space)) == sorted((a, b) for a in range(4) for b in range(6))


class _Everyone:
    """Always proposes the best of all that is left, as every other process would."""

    def __init__(self, space: Space, goal: Goal, *, seed: int) -> None:
        self._search = RandomSearch(space, goal, seed=seed)

    def observe(self, trials: Sequence[Trial]) -> None:
        self._search.observe(trials)

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        ahead = self.ahead
        proposals = self._search.propose(n, pending)
        if ahead is not None and proposals:
            ahead(proposals[0].architecture)
        return proposals

    ahead: Callable[[Architecture], None] | None = None


def test_whoever_sees_its_choice_claimed_meanwhile_chooses_again(flat):
    """Another process claims the same architecture between our look at the storage and our claim, twice in a row."""
    claimed: list[Architecture] = []
    other = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, flat, seed=1))
    storage = other._storage

    def ahead(architecture: Architecture) -> None:
        if len(claimed) < 2:
            claimed.append(architecture)
            rival = storage.create_new_trial(other._study_id)
            storage.set_trial_system_attr(rival, "optiproxy:architecture", flat.values(architecture))

    def factory(space: Space, goal: Goal, *, seed: int) -> _Everyone:
        algorithm = _Everyone(space, goal, seed=seed)
        algorithm.ahead = ahead
        return algorithm

    other.sampler = AlgorithmSampler(factory, flat, seed=1)
    trial = other.ask(dict(Parameters(flat).distributions))
    assert len(claimed) == 2
    assert Parameters(flat).decode(trial.params) not in claimed
    assert other.trials[0].system_attrs["optiproxy:architecture"] == trial.params


def test_a_trial_that_runs_elsewhere_is_pending(flat):
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, flat, seed=0))
    distributions = dict(Parameters(flat).distributions)
    asked = [study.ask(distributions) for _ in range(flat.size)]
    assert len({tuple(trial.params.values()) for trial in asked}) == flat.size


def test_loading_a_study_again_goes_on_as_if_nothing_had_happened(flat, scored, asked):
    def visits(*parts: int) -> list[Architecture]:
        storage = optuna.storages.InMemoryStorage()
        optuna.create_study(study_name="s", storage=storage)
        for n in parts:
            sampler = AlgorithmSampler(RandomSearch, flat, seed=3)
            study = optuna.load_study(study_name="s", storage=storage, sampler=sampler)
            study.optimize(scored(flat), n_trials=n)
        return asked(study, flat)

    assert visits(10) == visits(3, 5, 2)


def test_a_space_of_which_nothing_is_valid_is_named():
    class Nothing(FlatSpace):
        def is_valid(self, architecture: Architecture) -> bool:
            return False

    space = Nothing({"a": [1, 2]})
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, space, seed=0))
    with pytest.raises(UsageError, match="No combination of choices"):
        study.ask(dict(Parameters(space).distributions))


def test_independent_sampling_follows_the_seed():
    def run(seed: int) -> list[float]:
        study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=seed))
        study.optimize(lambda t: t.suggest_float("x", 0, 1) + t.suggest_float("y", 0, 1), n_trials=4)
        return [value for trial in study.trials for value in trial.params.values()]

    assert run(0) == run(0) != run(1)
    assert len(set(run(0))) == 8
