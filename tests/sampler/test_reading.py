"""How the trials of an ordinary study are read: what an algorithm is told of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import optuna

from optiproxy.baselines import RandomSearch
from optiproxy.metrics import Goal
from optiproxy.optimizer import Proposal, Trial
from optiproxy.sampler import AlgorithmSampler, Parameters
from optiproxy.spaces import Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optiproxy.spaces import Architecture


class _Spy:
    """Random search that shows what it was told."""

    seen: tuple[Space, Goal, Sequence[Trial], Sequence[Architecture]]

    def __init__(self, space: Space, goal: Goal, *, seed: int) -> None:
        self._inner = RandomSearch(space, goal, seed=seed)
        self._space, self._goal = space, goal
        self._trials: Sequence[Trial] = ()

    def observe(self, trials: Sequence[Trial]) -> None:
        self._trials = trials
        self._inner.observe(trials)

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        type(self).seen = (self._space, self._goal, self._trials, pending)
        return [Proposal(p.architecture, {"objective_0": 0.5}) for p in self._inner.propose(n, pending)]


def test_reads_directions_constraints_failures_and_prunings(flat):
    study = optuna.create_study(direction="maximize", sampler=AlgorithmSampler(_Spy, flat, seed=0))
    distributions = dict(Parameters(flat).distributions)
    trials = [study.ask(distributions) for _ in range(6)]
    trials[0].set_constraint("latency", 0.5)
    study.tell(trials[0], 1.0)
    study.tell(trials[1], 2.0)
    study.tell(trials[2], state=optuna.trial.TrialState.FAIL)
    trials[3].report(0.25, 1)
    trials[3].report(0.75, 2)
    study.tell(trials[3], state=optuna.trial.TrialState.PRUNED)
    study.tell(trials[4], state=optuna.trial.TrialState.PRUNED)
    study.ask(distributions)
    _, goal, history, pending = _Spy.seen
    assert [str(part) for part in (*goal.objectives, *goal.limits)] == ["objective_0:max", "latency<=0"]
    told = {"latency": 0.5, "objective_0": 1.0}, {"objective_0": 2.0}, {}, {"objective_0": 0.75}, {}
    assert [trial.metrics for trial in history] == list(told)
    # What has not set the constraint keeps it, as with Optuna's own samplers; failures break the goal all the same.
    assert [goal.feasible(trial.metrics) for trial in history] == [False, True, False, True, False]
    assert pending == [Parameters(flat).decode(trials[5].params)]
    assert study.trials[-1].system_attrs["optiproxy:predicted"] == {"objective_0": 0.5}


def test_two_objectives_keep_their_directions(flat, scored):
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=AlgorithmSampler(_Spy, flat, seed=0))
    study.optimize(lambda t: (scored(flat)(t), 1.0), n_trials=3)
    assert [str(objective) for objective in _Spy.seen[1].objectives] == ["objective_0:min", "objective_1:max"]
    assert _Spy.seen[2][0].metrics["objective_1"] == 1.0


def test_enqueued_and_added_trials_are_known(flat, scored, asked):
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, flat, seed=0))
    everything = [flat.values((a, b, c)) for a in range(3) for b in range(2) for c in range(2)]
    for values in everything[:6]:
        study.enqueue_trial(values)
    for values in everything[6:11]:
        study.add_trial(
            optuna.create_trial(params=values, distributions=dict(Parameters(flat).distributions), value=0.0)
        )
    study.optimize(scored(flat), n_trials=7)
    assert Counter(asked(study, flat)).most_common(1)[0][1] == 1
    assert study.trials[-1].params == everything[11]
