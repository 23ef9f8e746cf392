"""The log of queries: Optuna trials read and written as optiproxy's records."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, final

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from optiproxy.metrics import Goal, Metrics
from optiproxy.running.evaluation import Outcome
from optiproxy.running.ownership import Owner, is_gone
from optiproxy.running.result import Record
from optiproxy.sampler.claims import PREDICTED, UNCOUNTED, annotate, architecture_of
from optiproxy.sampler.parameters import Parameters

if TYPE_CHECKING:
    import numpy as np
    from optuna.study import Study

    from optiproxy.spaces import Architecture, Space

METRICS = "metrics"
REASON = "reason"
ASK_SECONDS = "ask_seconds"
EVALUATION_SECONDS = "evaluation_seconds"
"""User attributes of a trial; `Record` says what they hold."""

OWNER = "optiproxy:owner"
"""System attribute: the `Owner` of a query. What has none is no query: asked for and killed in the same moment."""

INTERRUPTED, EXHAUSTED = "interrupted", "exhausted"
"""Why a trial is not counted: its evaluation was cut off, or there was no architecture left to evaluate."""


class ExhaustedError(Exception):
    """No architecture is left; for the loop, not for users."""


def stop(space: Space, rng: np.random.Generator) -> Architecture:  # noqa: ARG001 - what the sampler calls
    """The sampler's answer to an exhausted space while a search runs."""
    raise ExhaustedError


@dataclass(frozen=True)
class RecordedMetrics:
    """Lets the sampler read goal and metrics as the search knows them."""

    wanted: Goal

    def goal(self, study: Study, finished: Sequence[FrozenTrial]) -> Goal:  # noqa: ARG002 - `Reading`
        return self.wanted

    def metrics(self, trial: FrozenTrial) -> Metrics:
        return metrics_of(trial)


@dataclass(frozen=True, kw_only=True)
class Query:
    """An architecture that has been asked for and not been answered yet."""

    trial: Trial
    number: int
    architecture: Architecture
    predicted: Metrics
    ask_seconds: float


@final
class QueryLog:
    """All queries of one study.

    Args:
        study: Its sampler proposes, with `stop` for the end of the space.
        parameters: Of the space.
        goal: Says which values and limits Optuna is told.
    """

    def __init__(self, study: Study, parameters: Parameters, goal: Goal) -> None:
        self._study = study
        self._parameters = parameters
        self._goal = goal
        self._owner = Owner()

    def spent(self) -> int:
        """Queries that count against the budget: finished or running, here or in another process."""
        return sum(_counts(trial) for trial in self._study.get_trials(deepcopy=False))

    def records(self) -> list[Record]:
        """All finished queries, in the order in which they finished."""
        return finished_records(self._study, self._parameters)

    def ask(self) -> Query:
        """Begin a query.

        Raises:
            ExhaustedError: If no architecture is left.
        """
        start = time.perf_counter()
        trial = self._study.ask()
        # Before anything is proposed, which may take seconds: whoever is killed in between has left a name.
        annotate(self._study, trial, OWNER, self._owner.to_json())
        try:
            # Asked for outright, because Optuna would not ask for parameters that have one value only.
            values = trial.relative_params
        except ExhaustedError:
            self._discard(trial, EXHAUSTED)
            raise
        architecture = self._parameters.decode(values)
        assert architecture is not None  # the sampler chooses from this space
        for name, distribution in self._parameters.distributions.items():
            trial.suggest_categorical(name, distribution.choices)
        trials = self._study.get_trials(deepcopy=False)
        predicted = next(_predicted(found) for found in reversed(trials) if found.number == trial.number)
        seconds = time.perf_counter() - start
        trial.set_user_attr(ASK_SECONDS, seconds)
        return Query(
            trial=trial,
            number=sum(_counts(found) for found in trials if found.number < trial.number),
            architecture=architecture,
            predicted=predicted,
            ask_seconds=seconds,
        )

    def tell(self, query: Query, outcome: Outcome) -> Record:
        """End a query with what became of it."""
        trial, metrics = query.trial, outcome.metrics
        trial.set_user_attr(EVALUATION_SECONDS, outcome.seconds)
        if outcome.reason:
            trial.set_user_attr(REASON, outcome.reason)
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            trial.set_user_attr(METRICS, dict(metrics))
            for limit in self._goal.limits:
                trial.set_constraint(str(limit), limit.violation(metrics))
            self._study.tell(trial, [metrics[objective.metric] for objective in self._goal.objectives])
        return Record(
            number=query.number,
            architecture=query.architecture,
            state="failed" if outcome.reason else "complete",
            metrics=metrics,
            reason=outcome.reason,
            predicted=query.predicted,
            ask_seconds=query.ask_seconds,
            evaluation_seconds=outcome.seconds,
        )

    def recover(self) -> None:
        """Give up the queries of processes on this host that have ended; their architectures may be proposed again."""
        for trial, owner in self._running():
            if is_gone(owner):
                self._discard(trial, INTERRUPTED)

    def release(self) -> None:
        """Give up the queries that this search has begun and not ended."""
        for trial, owner in self._running():
            if owner.get("run") == self._owner.run:
                self._discard(trial, INTERRUPTED)

    def _running(self) -> Iterator[tuple[FrozenTrial, Mapping[str, object]]]:
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            owner = trial.system_attrs.get(OWNER)
            if isinstance(owner, Mapping):
                yield trial, owner

    def _discard(self, trial: FrozenTrial | Trial, why: str) -> None:
        try:
            annotate(self._study, trial, UNCOUNTED, why)
        except UpdateFinishedTrialError:
            return  # another process has given it up already
        self._study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def finished_records(study: Study, parameters: Parameters) -> list[Record]:
    """All finished queries of a study, in the order in which they finished."""
    found: list[tuple[datetime, int, Record]] = []
    counted = [trial for trial in study.get_trials(deepcopy=False) if _counts(trial)]
    for number, trial in enumerate(counted):
        architecture = architecture_of(trial, parameters)
        if trial.state.is_finished() and architecture is not None and trial.datetime_complete is not None:
            record = Record(
                number=number,
                architecture=architecture,
                state="complete" if trial.state == TrialState.COMPLETE else "failed",
                metrics=metrics_of(trial),
                reason=str(trial.user_attrs.get(REASON, "")),
                predicted=_predicted(trial),
                ask_seconds=float(trial.user_attrs.get(ASK_SECONDS, 0.0)),
                evaluation_seconds=float(trial.user_attrs.get(EVALUATION_SECONDS, 0.0)),
            )
            found.append((trial.datetime_complete, number, record))
    return [record for _, _, record in sorted(found, key=lambda entry: entry[:2])]


def metrics_of(trial: FrozenTrial) -> Metrics:
    """What a trial measured; empty where it failed."""
    return dict(trial.user_attrs.get(METRICS, {})) if trial.state == TrialState.COMPLETE else {}


def _predicted(trial: FrozenTrial) -> Metrics:
    return dict(trial.system_attrs.get(PREDICTED, {}))


def _counts(trial: FrozenTrial) -> bool:
    return OWNER in trial.system_attrs and UNCOUNTED not in trial.system_attrs and trial.state != TrialState.WAITING
