from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from optuna.trial import TrialState, create_trial

from optiproxy.baselines import RandomSearch
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.optimizer import Proposal, Trial
from optiproxy.spaces import FlatSpace
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.schema import UNSEEN, metrics_of

SPACE = FlatSpace({"a": [1, 2, 3], "b": ["x", "y"]})
GOAL = Goal((Objective("score"),))
START = datetime(2026, 1, 1)  # noqa: DTZ001 - Optuna's times are naive


class Spy:
    """Keeps what it is told."""

    built = 0

    def __init__(self, space, goal, *, seed):
        type(self).built += 1
        self.goal, self.seed = goal, seed

    def observe(self, trials):
        type(self).told = list(trials)

    def propose(self, n, pending=()):
        type(self).pending = list(pending)
        return [Proposal((0, 0))]


@pytest.fixture
def spied(monkeypatch):
    monkeypatch.setattr(Spy, "built", 0)
    return Proposer(Spy, Parameters(SPACE), seed=3, metrics=metrics_of)


def trial(number, architecture, *, ended=None, unseen=None):
    """Begun in the order of the numbers; finished where ``ended`` says when."""
    parameters = Parameters(SPACE)
    made = create_trial(
        state=TrialState.RUNNING if ended is None else TrialState.COMPLETE,
        value=None if ended is None else float(number),
        params=parameters.encode(architecture),
        distributions=dict(parameters.distributions),
        user_attrs={} if ended is None else {"metrics": {"score": float(number)}},
        system_attrs={} if unseen is None else {UNSEEN: unseen},
    )
    made.number = number
    made.datetime_start = START + timedelta(seconds=number)
    made.datetime_complete = None if ended is None else START + timedelta(seconds=ended)
    return made


def test_the_algorithm_is_told_what_finished_in_that_order_and_what_runs(spied):
    trials = [
        trial(0, (0, 0), ended=30),
        trial(1, (0, 1), ended=20),
        trial(2, (1, 0)),
        trial(3, (1, 1), unseen="surplus"),
    ]
    spied.propose(trials, GOAL, besides=[(2, 1)])
    assert Spy.told == [Trial((0, 1), {"score": 1.0}), Trial((0, 0), {"score": 0.0})]
    assert Spy.pending == [(1, 0), (2, 1)]


def test_the_algorithm_is_kept_while_the_trials_go_on(spied):
    first, second = trial(0, (0, 0), ended=10), trial(1, (0, 1), ended=20)
    spied.propose([first], GOAL)
    spied.propose([first, second], GOAL)
    spied.propose([first, second, trial(2, (1, 0))], GOAL)
    assert Spy.built == 1


@pytest.mark.parametrize(
    ("trials", "goal"),
    [
        ([trial(1, (0, 1), ended=20)], GOAL),
        ([], GOAL),
        ([trial(1, (0, 1), ended=5), trial(0, (0, 0), ended=10)], GOAL),
        ([trial(0, (0, 0), ended=10)], Goal(GOAL.objectives, (Limit("cost", 1.0),))),
    ],
    ids=["another trial", "none left", "one that had finished before", "another goal"],
)
def test_the_algorithm_is_built_anew_where_the_past_is_another(spied, trials, goal):
    spied.propose([trial(0, (0, 0), ended=10)], GOAL)
    spied.propose(trials, goal)
    assert Spy.built == 2


def test_each_trial_is_decoded_once():
    parameters = Parameters(SPACE)
    proposer = Proposer(RandomSearch, parameters, seed=0, metrics=metrics_of)
    decoded = []
    decode = parameters.decode
    parameters.decode = lambda values: decoded.append(values) or decode(values)
    trials = [trial(n, (n, 0), ended=n) for n in range(3)]
    for n in (1, 2, 3, 3):
        assert proposer.propose(trials[:n], GOAL)
    assert len(decoded) == 3


def test_metrics_are_read_in_the_order_of_ending_and_may_change(monkeypatch):
    monkeypatch.setattr(Spy, "built", 0)

    def scores(trials):
        """Of each trial its number times that of all."""
        return [{"score": len(trials) * found.value} for found in trials]

    proposer = Proposer(Spy, Parameters(SPACE), seed=0, metrics=scores)
    proposer.propose([trial(1, (1, 0), ended=10)], GOAL)
    assert Spy.told == [Trial((1, 0), {"score": 1.0})]
    proposer.propose([trial(1, (1, 0), ended=10), trial(2, (2, 0), ended=5)], GOAL)
    assert Spy.told == [Trial((2, 0), {"score": 4.0}), Trial((1, 0), {"score": 2.0})]
    assert Spy.built == 2


def test_what_an_optuna_trial_claims_may_change_until_it_has_parameters(spied):
    claiming = create_trial(state=TrialState.RUNNING, system_attrs={"optiproxy:architecture": {"a": 2, "b": "x"}})
    assert spied.architecture(claiming) == (1, 0)
    claiming.system_attrs["optiproxy:architecture"] = {"a": 3, "b": "y"}
    assert spied.architecture(claiming) == (2, 1)
    claiming.system_attrs["optiproxy:architecture"] = None
    assert spied.architecture(claiming) is None
