"""Pruned trials count with what complete ones show that their last value is worth."""

from __future__ import annotations

import math

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from optiproxy.baselines import RandomSearch
from optiproxy.sampler import AlgorithmSampler
from optiproxy.sampler.reading import metrics_of
from optiproxy.spaces import FlatSpace
from optiproxy.storage.pruned import FEWEST, Curves


def complete(*values, end):
    return create_trial(value=end, intermediate_values=dict(enumerate(values)))


def pruned(*values):
    return create_trial(state=TrialState.PRUNED, intermediate_values=dict(enumerate(values)))


RISING = [complete(0.1, 0.3, end=0.6), complete(0.2, 0.5, end=0.8), complete(0.4, 0.8, end=0.9)]
FALLING = [complete(9.0, end=3.0), complete(5.0, end=1.0), complete(7.0, end=2.0)]


@pytest.mark.parametrize(
    ("trials", "value", "expected"),
    [
        (RISING, 0.1, 0.6),
        (RISING, 0.2, 0.8),
        (RISING, 0.3, 0.85),  # halfway between two
        (RISING, 0.05, 0.55),  # beyond the ends as far as at that step
        (RISING, 0.5, 1.0),
        (FALLING, 8.0, 2.5),
        (FALLING, 11.0, 5.0),
        (FALLING, 4.0, 0.0),
    ],
)
def test_it_ends_where_a_complete_trial_with_the_same_value_did(trials, value, expected):
    assert Curves(trials).expected(pruned(value)) == pytest.approx(expected)


def test_it_is_compared_at_the_step_that_it_reached():
    curves = Curves(RISING)
    assert curves.expected(pruned(0.2, 0.3)) == pytest.approx(0.6)
    assert curves.expected(pruned(0.2, 0.8)) == pytest.approx(0.9)
    assert curves.expected(pruned(0.2, 0.8, 0.85)) == 0.85  # nobody else reported there


def test_of_curves_that_cross_the_means_are_taken():
    trials = [complete(0.1, end=0.5), complete(0.2, end=0.9), complete(0.3, end=0.7), complete(0.3, end=0.9)]
    trials += [complete(0.4, end=0.8), complete(0.5, end=1.0)]
    ends = [Curves(trials).expected(pruned(value)) for value in np.linspace(0, 0.6, 61)]
    assert np.diff(ends).min() > -1e-12
    # 0.2 and 0.3 and 0.4 are out of order: 0.9, twice 0.8, and 0.8.
    assert [Curves(trials).expected(pruned(value)) for value in (0.2, 0.3, 0.4)] == pytest.approx([0.825] * 3)


def test_order_among_pruned_trials_is_kept_beyond_all_complete_ones():
    """As with successive halving, where only the best ever end."""
    first, second = (Curves(RISING).expected(pruned(value)) for value in (0.02, 0.05))
    assert first < second < 0.6


@pytest.mark.parametrize("n", range(FEWEST + 1))
def test_with_few_complete_trials_the_last_value_counts(n):
    assert Curves(RISING[:n]).expected(pruned(0.1)) == pytest.approx(0.1 if n < FEWEST else 0.6)


def test_trials_that_reported_nothing_there_or_no_number_are_left_out():
    strange = [
        create_trial(value=0.7),
        complete(math.nan, end=0.7),
        complete(math.inf, end=0.7),
        complete(0.2, end=math.inf),
        create_trial(state=TrialState.FAIL, intermediate_values={0: 0.2}),
    ]
    assert Curves([*strange[:4], *RISING[:2]]).expected(pruned(0.1)) == 0.1
    twelve = [*strange[:4], *RISING, *RISING, *RISING[:2], strange[4]]
    assert Curves(twelve).expected(pruned(0.1)) == pytest.approx(0.6)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_stays_what_it_is(value):
    assert Curves(RISING).expected(pruned(value)) == pytest.approx(value, nan_ok=True)


def test_what_has_reported_nothing_is_expected_to_reach_nothing():
    assert Curves(RISING).expected(pruned()) is None
    assert metrics_of([*RISING, pruned(), pruned(math.nan)])[3:] == [{}, {}]


def test_expectations_change_when_the_complete_trials_have_doubled():
    """Otherwise the past would be another after each trial, and the algorithm built anew."""
    trials = [complete(0.1 * i, end=0.1 * i + 0.1 * (i % 3)) for i in range(1, 25)]
    ends = [Curves(trials[:n]).expected(pruned(0.25)) for n in range(25)]
    changes = [n for n in range(1, 25) if ends[n] != ends[n - 1]]
    assert changes[0] == 3
    assert set(changes) <= {3, 6, 12, 24}


def test_where_all_complete_trials_had_the_same_value_their_mean_counts():
    same = [complete(0.5, end=end) for end in (0.6, 0.7, 0.8)]
    assert [Curves(same).expected(pruned(value)) for value in (0.4, 0.5, 0.6)] == pytest.approx([0.6, 0.7, 0.8])


def test_constraints_of_pruned_trials_are_kept():
    study = optuna.create_study()
    trial = study.ask()
    trial.set_constraint("latency", 0.5)
    trial.report(0.2, 0)
    study.tell(trial, state=TrialState.PRUNED)
    assert metrics_of([*RISING, *study.trials])[-1] == {"latency": 0.5, "objective_0": pytest.approx(0.8)}


class _Told(RandomSearch):
    """Random search that keeps what it was told, and how often it was built."""

    built = 0

    def __init__(self, space, goal, *, seed):
        super().__init__(space, goal, seed=seed)
        type(self).built += 1

    def observe(self, trials):
        super().observe(trials)
        type(self).told = list(trials)


@pytest.mark.parametrize("pruner", [optuna.pruners.MedianPruner(n_startup_trials=3), optuna.pruners.HyperbandPruner()])
def test_in_a_study_no_pruned_trial_counts_with_its_early_value(pruner, monkeypatch):
    """Of curves that rise to the quality from 0, and never cross, the expectation is close to the quality."""
    monkeypatch.setattr(_Told, "built", 0)
    space = FlatSpace({name: list(range(5)) for name in "abc"})

    def objective(trial):
        quality = sum(trial.suggest_categorical(name, list(range(5))) for name in "abc") / 12
        for step in range(1, 28):
            trial.report(quality * (1 - math.exp(-step / 9)), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return quality * (1 - math.exp(-3))

    # Named, because Hyperband chooses brackets by the name.
    sampler = AlgorithmSampler(_Told, space, seed=0)
    study = optuna.create_study(study_name="pruned", direction="maximize", pruner=pruner, sampler=sampler)
    study.optimize(objective, n_trials=60)
    finished = study.trials[:-1]  # the last one was not told to anybody
    stopped = [i for i, trial in enumerate(finished) if trial.state == TrialState.PRUNED]
    assert len(stopped) > 15
    truth = np.array([sum(trial.params.values()) / 12 * (1 - math.exp(-3)) for trial in finished])
    last = np.array([trial.intermediate_values[max(trial.intermediate_values)] for trial in finished])
    told = np.array([trial.metrics["objective_0"] for trial in _Told.told])
    wrong, before = np.abs(told - truth)[stopped], np.abs(last - truth)[stopped]
    assert wrong.mean() < 0.5 * before.mean()
    assert _Told.built <= 1 + 5  # complete trials doubled five times at most
