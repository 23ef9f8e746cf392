"""Choices that are objects: a study is given what the objective suggests, the algorithm tells all of them apart."""

from __future__ import annotations

from enum import Enum

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState
from torch import nn

from optiproxy.baselines import RandomSearch
from optiproxy.sampler import AlgorithmSampler
from optiproxy.sampler.inferring import choices_of
from optiproxy.spaces import FlatSpace, Space

pytestmark = pytest.mark.filterwarnings("ignore:Choices for a categorical distribution should be")


class Norm(Enum):
    BATCH = "b"
    LAYER = "l"


def halve(x):
    return x / 2


KINDS = {
    "classes": [nn.ReLU, nn.GELU],
    "functions": [halve, abs, max],
    "tuples": [(1, 2), (2, 1), (3,)],
    "members": [Norm.BATCH, Norm.LAYER],
    "modules": [nn.Linear(1, 1), nn.Linear(1, 2)],
    "none": [None, "None", 0],
    "equal": [1, True, None, "1"],
    "mixed": [nn.ReLU, "ReLU", None, False, 0, (0,)],
}
objects = pytest.mark.parametrize("choices", KINDS.values(), ids=KINDS)


def remembering(choices):
    """An objective, and what it has been given; so that a study's own record, where 1 and True are one, is not asked."""
    given = []

    def objective(trial):
        given.append((trial.suggest_categorical("act", choices), trial.suggest_categorical("depth", [4, 5, 6])))
        return len(given)

    return objective, given


def exactly(given):
    return {(type(act), repr(act), depth) for act, depth in given}


@objects
@pytest.mark.parametrize("kind", ["flat", "from the objective"])
def test_a_given_space_is_visited_once_each(choices, kind, sampler):
    objective, given = remembering(choices)
    if kind == "flat":
        space = FlatSpace({"act": choices, "depth": [4, 5, 6]})
    else:
        space = Space.from_optuna(objective)
        given.clear()
    study = optuna.create_study(sampler=sampler(space))
    study.optimize(objective, n_trials=space.size)
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}
    assert len(given) == len(exactly(given)) == space.size == 3 * len(choices)
    assert all(any(act is choice for choice in choices) for act, _ in given)
    with pytest.warns(UserWarning, match="is known, so the best is proposed again"):
        study.optimize(objective, n_trials=1)
    assert exactly(given[-1:]) == exactly(given[:1])  # the study minimizes, and the first had the least


@objects
def test_an_inferred_space_is_visited_once_each(choices):
    objective, given = remembering(choices)
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=0))
    n = 3 * len(choices)
    study.optimize(objective, n_trials=n)
    # Nothing is claimed for the first trial, so it counts as what Optuna keeps of it: of 1 and True the first.
    unclear = len(set(choices)) < len(choices)
    assert len(exactly(given)) >= n - unclear


def test_enqueued_objects_are_known():
    objective, given = remembering(KINDS["mixed"])
    study = optuna.create_study(
        sampler=AlgorithmSampler(RandomSearch, FlatSpace({"act": KINDS["mixed"], "depth": [4, 5, 6]}))
    )
    study.enqueue_trial({"act": nn.ReLU, "depth": 4})
    study.enqueue_trial({"act": (0,)})
    study.optimize(objective, n_trials=18)
    assert given[0] == (nn.ReLU, 4)
    assert given[1][0] == (0,)
    assert len(exactly(given)) == 18


def test_what_has_no_hash_is_suggested_in_a_given_space_and_sampled_at_random_in_an_inferred_one():
    objective, given = remembering([[1], [2]])
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, Space.from_optuna(objective), seed=0))
    given.clear()
    study.optimize(objective, n_trials=6)
    assert len(exactly(given)) == 6
    study.sampler = AlgorithmSampler(RandomSearch, seed=0)
    with pytest.warns(UserWarning, match="'inferred' is known"):  # the depths are
        study.optimize(objective, n_trials=6)
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}
    assert choices_of(CategoricalDistribution([[1], [2]])) == ()


def test_choices_of_categories_are_each_there_once():
    assert choices_of(CategoricalDistribution(["a", "b", "a"])) == ("a", "b")
    assert list(map(repr, choices_of(CategoricalDistribution([1, True, 1])))) == ["1", "True"]
    assert choices_of(CategoricalDistribution([nn.ReLU, (1, 2)])) == (nn.ReLU, (1, 2))
    assert choices_of(CategoricalDistribution([b"x", b"y"])) == ()  # no decision may be taken among them


def test_a_study_of_plain_choices_on_disk_holds_them(tmp_path):
    space = FlatSpace({"x": [1, True, None, "1"]})
    study = optuna.create_study(
        storage=f"sqlite:///{tmp_path}/study.db", sampler=AlgorithmSampler(RandomSearch, space, seed=0)
    )
    given = []
    study.optimize(lambda trial: given.append(trial.suggest_categorical("x", [1, True, None, "1"])) or 0.0, n_trials=4)
    assert sorted(map(repr, given)) == ["'1'", "1", "None", "True"]
    assert sorted(repr(trial.system_attrs["optiproxy:architecture"]["x"]) for trial in study.trials) == sorted(
        map(repr, given)
    )
