"""Ranges of integers stay what they are, for whoever reads or continues the study."""

from __future__ import annotations

import warnings

import optuna
import pytest

from optiproxy.baselines import RandomSearch
from optiproxy.sampler import AlgorithmSampler
from optiproxy.spaces import Space


@pytest.mark.parametrize("given_space", [True, False], ids=["from the objective", "inferred"])
def test_ranges_with_steps_and_orders_of_magnitude_are_integers(given_space):
    def suggest(trial):
        # The last value of a range need not be one step away from its end.
        return trial.suggest_int("depth", 1, 8, step=3), trial.suggest_int("width", 3, 9, log=True)

    space = Space.from_optuna(suggest)
    assert {d.name: list(d.choices) for d in space.decisions} == {"depth": [1, 4, 7], "width": [3, 4, 5, 6, 7, 8, 9]}
    study = optuna.create_study(
        direction="maximize", sampler=AlgorithmSampler(RandomSearch, space if given_space else None, seed=0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Optuna warns of the range that ends between two steps
        study.optimize(lambda trial: sum(suggest(trial)), n_trials=21)
    asked = [(trial.params["depth"], trial.params["width"]) for trial in study.trials]
    assert {type(number) for pair in asked for number in pair} == {int}
    # Each architecture once; the first trial, where nothing is inferred yet, is Optuna's own.
    assert len(set(asked)) == 21
    assert {trial.state for trial in study.trials} == {optuna.trial.TrialState.COMPLETE}
    assert study.trials[-1].distributions["width"].log
    assert study.best_params == {"depth": 7, "width": 9}


def test_another_sampler_continues_a_study_with_ranges():
    def suggest(trial):
        return trial.suggest_int("depth", 1, 7, step=3) + trial.suggest_int("width", 3, 9, log=True)

    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, Space.from_optuna(suggest), seed=0))
    study.optimize(suggest, n_trials=12)
    study.sampler = optuna.samplers.TPESampler(seed=0)
    study.optimize(suggest, n_trials=2)
    assert all(trial.params["depth"] in (1, 4, 7) for trial in study.trials)


@pytest.mark.parametrize("high", [2**60, 1e-310])
def test_a_range_that_floats_do_not_resolve_is_sampled_at_random_and_the_rest_is_searched(sampler, high):
    def objective(trial):
        suggest = trial.suggest_int if isinstance(high, int) else trial.suggest_float
        return float(suggest("huge", 0, high) * 0 + trial.suggest_categorical("c", [3, 1, 2]))

    study = optuna.create_study(direction="maximize", sampler=sampler())
    study.optimize(objective, n_trials=3)
    assert {trial.params["c"] for trial in study.trials} == {1, 2, 3}
