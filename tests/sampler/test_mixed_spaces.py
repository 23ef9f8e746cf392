"""What a study promises with floats, branches, fixed parameters, constraints and pruners: the reported cases, with their right values."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from subprocess import Popen

import optuna
import pytest

from optiproxy.baselines import RandomSearch
from optiproxy.sampler import AlgorithmSampler, OptiProxySampler
from optiproxy.spaces import FlatSpace, Space
from optiproxy.storage.schema import ARCHITECTURE


@pytest.mark.slow
def test_a_category_is_repeated_with_another_learning_rate(light_parts, different):
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


@pytest.mark.slow
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


def test_constraints_with_several_objectives(sampler, different):
    def objective(trial):
        n, big = trial.suggest_int("n", 1, 5), trial.suggest_categorical("big", [True, False])
        if big:
            trial.set_constraint("mem", float(n))
        return n, -n

    study = optuna.create_study(directions=["maximize", "maximize"], sampler=sampler())
    study.optimize(objective, n_trials=10)
    assert different(study) == 10
    assert {trial.params["big"] for trial in study.best_trials} == {False}


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


@pytest.mark.slow
@pytest.mark.parametrize("space", [True, False], ids=["given", "inferred"])
def test_brackets_of_hyperband_hide_no_trials(sampler, space, different):
    """S8: 60 combinations, and 40 trials are all different."""

    given = Space.from_optuna(stepwise) if space else None
    study = optuna.create_study(direction="maximize", sampler=sampler(given), pruner=hyperband())
    study.optimize(stepwise, n_trials=40)
    assert different(study) == 40
    assert Counter(trial.state.name for trial in study.trials)["PRUNED"] > 5


def test_brackets_of_hyperband_share_an_algorithm():
    """S8: no bracket begins anew, which would cost a pretraining each time; see `Curves` for when all do."""
    made = []

    def factory(space, goal, *, seed):
        made.append(space)
        return RandomSearch(space, goal, seed=seed)

    pruner, space = hyperband(), Space.from_optuna(stepwise)
    study = optuna.create_study(sampler=AlgorithmSampler(factory, space, seed=0), pruner=pruner)
    study.optimize(stepwise, n_trials=20)
    assert len({pruner._get_bracket_id(study, trial) for trial in study.trials}) > 1
    complete = Counter(trial.state.name for trial in study.trials)["COMPLETE"]
    assert len(made) <= 1 + (complete // 3).bit_length() <= 4


def test_a_proposal_is_claimed_without_what_does_not_matter(different):
    def suggest(trial):
        for i in range(trial.suggest_int("depth", 1, 3)):
            trial.suggest_categorical(f"width{i}", [8, 16])
        return 1.0

    space = Space.from_optuna(suggest)
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, space, seed=0))
    study.optimize(suggest, n_trials=14)
    assert all(trial.system_attrs[ARCHITECTURE] == trial.params for trial in study.trials)
    assert different(study) == 14


def test_added_trials_of_a_conditional_space_are_known(different):
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


@pytest.mark.parametrize("pruner", ["MedianPruner", "SuccessiveHalvingPruner", "ThresholdPruner", "PatientPruner"])
def test_every_pruner_leaves_trials_different(pruner, different):
    made = {
        "ThresholdPruner": lambda: optuna.pruners.ThresholdPruner(upper=400),
        "PatientPruner": lambda: optuna.pruners.PatientPruner(optuna.pruners.MedianPruner(), patience=1),
    }.get(pruner, getattr(optuna.pruners, pruner))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=0), pruner=made())
    study.optimize(stepwise, n_trials=40)
    assert different(study) == 40


def test_threads_share_branches(different):
    def objective(trial):
        return sum(trial.suggest_categorical(f"w{i}", [1, 2]) for i in range(trial.suggest_int("depth", 1, 3)))

    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=0))
    study.optimize(objective, n_trials=5)
    study.optimize(objective, n_trials=9, n_jobs=3)
    assert different(study) == 14


PROCESS = """
import sys, optuna
from optiproxy.baselines import RandomSearch
from optiproxy.sampler import AlgorithmSampler
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(study_name="shared", storage=sys.argv[1], sampler=AlgorithmSampler(RandomSearch, seed=0))
def objective(trial):
    if trial.suggest_categorical("deep", [True, False]):
        return trial.suggest_float("rate", 1e-3, 1, log=True) * trial.suggest_int("depth", 1, 9)
    return trial.suggest_int("width", 1, 12)
study.optimize(objective, n_trials=8)
"""


@pytest.mark.slow
def test_processes_share_branches(tmp_path, different):
    url = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="shared", storage=url)
    for deep in (True, False) * 3:
        study.enqueue_trial({"deep": deep})
    study.sampler = AlgorithmSampler(RandomSearch, seed=0)
    study.optimize(
        lambda trial: (
            trial.suggest_float("rate", 1e-3, 1, log=True) * trial.suggest_int("depth", 1, 9)
            if trial.suggest_categorical("deep", [True, False])
            else trial.suggest_int("width", 1, 12)
        ),
        n_trials=6,
    )
    processes = [Popen([sys.executable, "-c", PROCESS, url]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    # All share the branch with floats once the 12 widths are used up, and no process repeats another's width.
    assert len(study.trials) == 30
    assert different(study) == 30
