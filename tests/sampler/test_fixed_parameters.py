"""Parameters that are fixed or enqueued stay as they are, and all others go with them (case S7 of the reported mistakes)."""

from __future__ import annotations

import warnings

import optuna
import pytest

from optiproxy.spaces import FlatSpace, Space


def partial_fixed(fixed, base):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.PartialFixedSampler(fixed, base)


def letters(trial):
    return sum(ord(trial.suggest_categorical(name, ["x", "y", "z"])) for name in "abc")


LETTERS = FlatSpace({name: ["x", "y", "z"] for name in "abc"})


def ruled(trial):
    depth = trial.suggest_categorical("depth", [1, 2, 3])
    width, heads = trial.suggest_categorical("width", [4, 6, 8, 12]), trial.suggest_categorical("heads", [1, 2, 3, 4])
    return depth * width + heads + len(trial.suggest_categorical("act", ["relu", "gelu", "silu"]))


RULED = Space.from_optuna(ruled).where(lambda values: values["width"] % values["heads"] == 0)


@pytest.mark.parametrize("fixed", [{"depth": 2}, {"heads": 2}])
def test_a_rule_is_kept_beside_fixed_parameters(sampler, fixed, different):
    """S7: 30 trials break the rule in none and repeat none, whether the rule speaks of what is fixed or not."""
    study = optuna.create_study(direction="maximize", sampler=partial_fixed(fixed, sampler(RULED)))
    study.optimize(ruled, n_trials=30)
    assert all(trial.params["width"] % trial.params["heads"] == 0 for trial in study.trials)
    assert all(fixed.items() <= trial.params.items() for trial in study.trials)
    assert different(study) == 30


def test_fixed_parameters_may_be_nested_and_change(sampler, different):
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


@pytest.mark.slow
@pytest.mark.parametrize("space", [None, LETTERS], ids=["inferred", "given"])
@pytest.mark.parametrize("enqueued", [[{"a": "x"}], [{"a": "x"}] * 9, [{"a": "y", "c": "z"}, {"b": "x"}, {}]])
def test_what_is_enqueued_in_part_makes_no_duplicate(sampler, space, enqueued, different):
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


def test_a_value_off_the_lattice_is_known(sampler, different):
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
