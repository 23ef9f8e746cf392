"""What a study promises with floats, branches, fixed parameters, constraints and pruners: the reported cases, with their right values."""

from __future__ import annotations

import warnings
from collections import Counter
from functools import partial

import optuna
import pytest

from optiproxy.baselines import RandomSearch
from optiproxy.optimizer import OptiProxy
from optiproxy.sampler import AlgorithmSampler, OptiProxySampler
from optiproxy.spaces import FlatSpace, Space
from optiproxy.storage.schema import ARCHITECTURE


@pytest.fixture(autouse=True)
def _quiet():
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


@pytest.fixture(params=["random", "optiproxy"])
def sampler(request, light_parts):
    """Makes a sampler of any algorithm; with random search a promise is not kept by luck of the proxy."""
    factory = RandomSearch if request.param == "random" else partial(OptiProxy, **light_parts)
    return lambda space=None: AlgorithmSampler(factory, space, seed=0)


def different(study):
    return len({tuple(sorted(trial.params.items())) for trial in study.trials})


def partial_fixed(fixed, base):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.PartialFixedSampler(fixed, base)


def letters(trial):
    return sum(ord(trial.suggest_categorical(name, ["x", "y", "z"])) for name in "abc")


LETTERS = FlatSpace({name: ["x", "y", "z"] for name in "abc"})


@pytest.mark.slow
def test_a_category_is_repeated_with_another_learning_rate(light_parts):
    """S2: with a float present, the best of three categories is used mostly, and not in turn with the others."""

    def objective(trial):
        value = {"x": 0, "y": 10, "z": 5}[trial.suggest_categorical("c", ["x", "y", "z"])]
        return value - (trial.suggest_float("lr", 0, 1) - 0.5) ** 2

    study = optuna.create_study(direction="maximize", sampler=OptiProxySampler(seed=0))
    study.optimize(objective, n_trials=40)
    assert Counter(trial.params["c"] for trial in study.trials[-20:])["y"] >= 15
    assert study.best_value > 9.99
    assert different(study) == 40


def test_categories_that_are_used_up_are_said_once_and_the_best_is_repeated(sampler):
    """S2: two categories, and eight trials."""
    study = optuna.create_study(direction="maximize", sampler=sampler())
    with pytest.warns(UserWarning, match="is known, so the best is proposed again") as said:
        study.optimize(lambda trial: {"x": 1, "y": 2}[trial.suggest_categorical("c", ["x", "y"])], n_trials=8)
    asked = [trial.params["c"] for trial in study.trials]
    assert sorted(asked[:2]) == ["x", "y"]
    assert asked[2:] == ["y"] * 6
    assert len(said) == 1


def test_of_several_objectives_the_front_is_repeated(sampler):
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=sampler(FlatSpace({"n": [1, 2, 3]})))
    with pytest.warns(UserWarning, match="is known"):
        study.optimize(lambda trial: ((n := trial.suggest_categorical("n", [1, 2, 3])), n if n < 3 else 0), n_trials=15)
    assert {trial.params["n"] for trial in study.trials[3:]} == {1, 2}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_trial_without_a_constraint_keeps_it(seed):
    """S6: one branch sets a constraint that it breaks, the other is silent."""

    def objective(trial):
        big = trial.suggest_categorical("big", [True, False])
        if big:
            trial.set_constraint("mem", 10.0)
        return trial.suggest_int("a", 0, 9) + trial.suggest_int("b", 0, 9) + (5 if big else 1)

    study = optuna.create_study(direction="maximize", sampler=OptiProxySampler(seed=seed))
    study.optimize(objective, n_trials=40)
    silent = [trial for trial in study.trials if not trial.params["big"]]
    assert max(trial.value for trial in silent) == 19
    assert sum(trial in silent for trial in study.trials[-30:]) >= 25


def test_constraints_with_several_objectives(sampler):
    def objective(trial):
        n, big = trial.suggest_int("n", 1, 5), trial.suggest_categorical("big", [True, False])
        if big:
            trial.set_constraint("mem", float(n))
        return n, -n

    study = optuna.create_study(directions=["maximize", "maximize"], sampler=sampler())
    study.optimize(objective, n_trials=10)
    assert different(study) == 10
    assert {trial.params["big"] for trial in study.best_trials} == {False}


def ruled(trial):
    depth = trial.suggest_categorical("depth", [1, 2, 3])
    width, heads = trial.suggest_categorical("width", [4, 6, 8, 12]), trial.suggest_categorical("heads", [1, 2, 3, 4])
    return depth * width + heads + len(trial.suggest_categorical("act", ["relu", "gelu", "silu"]))


RULED = Space.from_optuna(ruled).where(lambda values: values["width"] % values["heads"] == 0)


@pytest.mark.parametrize("fixed", [{"depth": 2}, {"heads": 2}])
def test_a_rule_is_kept_beside_fixed_parameters(sampler, fixed):
    """S7: 30 trials break the rule in none and repeat none, whether the rule speaks of what is fixed or not."""
    study = optuna.create_study(direction="maximize", sampler=partial_fixed(fixed, sampler(RULED)))
    study.optimize(ruled, n_trials=30)
    assert all(trial.params["width"] % trial.params["heads"] == 0 for trial in study.trials)
    assert all(fixed.items() <= trial.params.items() for trial in study.trials)
    assert different(study) == 30


def test_fixed_parameters_may_be_nested_and_change(sampler):
    study = optuna.create_study(sampler=partial_fixed({"a": "x"}, partial_fixed({"b": "y"}, sampler(LETTERS))))
    study.optimize(letters, n_trials=3)
    assert different(study) == 3
    study.sampler = partial_fixed({"a": "z"}, sampler(LETTERS))
    study.optimize(letters, n_trials=9)
    assert different(study) == 12
    with pytest.warns(UserWarning, match="with the fixed parameters is known"):
        study.optimize(letters, n_trials=2)
    # The best that has these parameters, not the best of all.
    assert [trial.params for trial in study.trials[-2:]] == [{"a": "z", "b": "x", "c": "x"}] * 2


@pytest.mark.parametrize("space", [None, LETTERS], ids=["inferred", "given"])
@pytest.mark.parametrize("enqueued", [[{"a": "x"}], [{"a": "x"}] * 9, [{"a": "y", "c": "z"}, {"b": "x"}, {}]])
def test_what_is_enqueued_in_part_makes_no_duplicate(sampler, space, enqueued):
    """S7: one parameter of three is given, 27 combinations exist, and 27 trials are all different."""
    study = optuna.create_study(sampler=sampler(space))
    for values in enqueued:
        study.enqueue_trial(values)
    study.optimize(letters, n_trials=27)
    # Where the space is inferred, the first trial is random; what is enqueued behind it may not repeat it either.
    assert different(study) == 27
    assert all(values.items() <= trial.params.items() for values, trial in zip(enqueued, study.trials, strict=False))


def test_what_is_enqueued_whole_is_pending(sampler):
    """Nobody else takes it meanwhile, before it has suggested anything."""
    study = optuna.create_study(sampler=sampler(LETTERS))
    distributions = {name: optuna.distributions.CategoricalDistribution(["x", "y", "z"]) for name in "abc"}
    for b in "xyz":
        study.enqueue_trial({"a": "x", "b": b, "c": "z"})
    waiting = [study.ask() for _ in range(3)]
    others = [study.ask(distributions) for _ in range(24)]
    assert [letters(trial) > 0 for trial in waiting] == [True] * 3
    assert len({tuple(trial.params.values()) for trial in waiting + others}) == 27


def stepwise(trial):
    value = ord(trial.suggest_categorical("a", list("wxyz"))) * trial.suggest_int("b", 1, 5)
    value += trial.suggest_int("c", 1, 3)
    for step in range(9):
        trial.report(value + step, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return value + 9


def hyperband():
    return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=9, reduction_factor=3)


@pytest.mark.parametrize("space", [True, False], ids=["given", "inferred"])
def test_brackets_of_hyperband_hide_no_trials(sampler, space):
    """S8: 60 combinations, and 40 trials are all different."""

    given = Space.from_optuna(stepwise) if space else None
    study = optuna.create_study(direction="maximize", sampler=sampler(given), pruner=hyperband())
    study.optimize(stepwise, n_trials=40)
    assert different(study) == 40
    assert Counter(trial.state.name for trial in study.trials)["PRUNED"] > 5


def test_brackets_of_hyperband_share_an_algorithm():
    """S8: no bracket begins anew, which would cost a pretraining each time."""
    made = []

    def factory(space, goal, *, seed):
        made.append(space)
        return RandomSearch(space, goal, seed=seed)

    pruner, space = hyperband(), Space.from_optuna(stepwise)
    study = optuna.create_study(sampler=AlgorithmSampler(factory, space, seed=0), pruner=pruner)
    study.optimize(stepwise, n_trials=20)
    assert len({pruner._get_bracket_id(study, trial) for trial in study.trials}) > 1
    assert len(made) == 1


def test_a_value_off_the_lattice_is_known(sampler):
    """It is kept as it was given, counts as the nearest of five digits, and the search goes on around it."""

    def objective(trial):
        lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
        return lr * len(trial.suggest_categorical("act", ["relu", "swish"]))

    for space in (None, Space.from_optuna(objective)):
        study = optuna.create_study(sampler=sampler(space))
        study.enqueue_trial({"lr": 0.0123456789, "act": "relu"})
        study.enqueue_trial({"lr": 0.0123456789})
        study.optimize(objective, n_trials=8)
        assert [trial.params["lr"] for trial in study.trials[:2]] == [0.0123456789] * 2
        # Its whole architecture is known, so the one that was given in part differs from it.
        assert space is None or study.trials[1].params["act"] == "swish"
        assert different(study) == 8


def test_a_proposal_is_claimed_without_what_does_not_matter():
    def suggest(trial):
        for i in range(trial.suggest_int("depth", 1, 3)):
            trial.suggest_categorical(f"width{i}", [8, 16])
        return 1.0

    space = Space.from_optuna(suggest)
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, space, seed=0))
    study.optimize(suggest, n_trials=14)
    assert all(trial.system_attrs[ARCHITECTURE] == trial.params for trial in study.trials)
    assert different(study) == 14


def test_added_trials_of_a_conditional_space_are_known():
    """They have no claim, and only what they have suggested."""

    def suggest(trial):
        return sum(trial.suggest_categorical(f"w{i}", [1, 2]) for i in range(trial.suggest_int("depth", 1, 2)))

    source = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, Space.from_optuna(suggest), seed=1))
    source.optimize(suggest, n_trials=4)
    for space in (None, Space.from_optuna(suggest)):
        study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, space, seed=0))
        study.add_trials(source.trials)
        study.optimize(suggest, n_trials=2)
        assert different(study) == 6
