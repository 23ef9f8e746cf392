"""The log of queries: begun, ended and given up in an Optuna study."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from optiproxy.execution.evaluation import Evaluation
from optiproxy.metrics import Goal, Metrics
from optiproxy.storage.claims import UNSEEN, Note, annotate, architecture_of
from optiproxy.storage.ownership import Owner, is_gone
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.record import Record
from optiproxy.storage.schema import (
    ASK_SECONDS,
    EVALUATION_SECONDS,
    EXHAUSTED,
    FIDELITY,
    INTERRUPTED,
    METRICS,
    OWNER,
    PROMOTED,
    REASON,
    SEEN,
    SURPLUS,
    counts,
    explores,
    finished_records,
    predicted_by,
    promotes,
)

if TYPE_CHECKING:
    import numpy as np
    from optuna.study import Study

    from optiproxy.spaces import Architecture, Choice, Space


class ExhaustedError(Exception):
    """No architecture is left; for the loop, not for users."""


def stop(space: Space, rng: np.random.Generator) -> Architecture:  # noqa: ARG001 - what the sampler calls
    """The sampler's answer to an exhausted space while a search runs."""
    raise ExhaustedError


@dataclass(frozen=True, kw_only=True)
class Query:
    """An architecture that has been asked for and not been answered yet.

    Attributes:
        trial: Where Optuna keeps it.
        number: Position among the study's queries.
        architecture: To be evaluated.
        predicted: As in `Record`.
        ask_seconds: As in `Record`.
        fidelity: Where to evaluate it; None means the full one.
        known: Metrics that an earlier query of the same architecture has settled.
    """

    trial: Trial
    number: int
    architecture: Architecture
    predicted: Metrics
    ask_seconds: float
    fidelity: int | None = None
    known: Metrics = field(default_factory=dict[str, float])


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

    def records(self) -> list[Record]:
        """All finished queries, in the order in which they finished."""
        return finished_records(self._study, self._parameters)

    def exploring(self) -> bool:
        """Whether a query that an algorithm has proposed is running, here or in another process that lives."""
        self.recover()
        return any(explores(trial) and not trial.state.is_finished() for trial in self._trials())

    def promoted(self) -> set[Architecture]:
        """Canonical forms of all promotions, finished or running, here or in another process."""
        found = (self._canonical(trial) for trial in self._trials() if promotes(trial))
        return {architecture for architecture in found if architecture is not None}

    def ask(self, *, budget: int, fidelity: int | None = None) -> Query | None:
        """Begin a query that the algorithm proposes.

        Args:
            budget: Such queries in all, with those that have finished already or run in other processes.
            fidelity: Where to evaluate it.

        Returns:
            The query; None where the budget is spent.

        Raises:
            ExhaustedError: If no architecture is left.
        """
        if sum(map(explores, self._trials())) >= budget:
            return None
        start = time.perf_counter()
        trial = self._begin(fidelity=fidelity)
        # Others may have begun queries since. Trials are numbered in the order in which they begin, so all agree on who
        # came first.
        if sum(explores(found) for found in self._trials() if found.number < trial.number) >= budget:
            self._discard(trial, SURPLUS)
            return None
        try:
            # Asked for outright, because Optuna would not ask for parameters that have one value only.
            values = trial.relative_params
        except ExhaustedError:
            self._discard(trial, EXHAUSTED)
            raise
        architecture = self._parameters.decode(values)
        assert architecture is not None  # the sampler chooses from this space
        self._parameters.suggest(trial)
        return self._query(trial, architecture, start, fidelity=fidelity, known={})

    def promote(self, architecture: Architecture, *, known: Metrics) -> Query | None:
        """Begin the query of a given architecture at the full fidelity; None where another process came first.

        Args:
            architecture: Seen at a lower fidelity.
            known: Metrics that hold as they were measured there.
        """
        start = time.perf_counter()
        trial = self._begin(fidelity=None, params=self._parameters.encode(architecture), notes={UNSEEN: PROMOTED})
        key = self._parameters.space.canonical(architecture)
        earlier = [found for found in self._trials() if found.number < trial.number and promotes(found)]
        if any(self._canonical(found) == key for found in earlier):
            self._discard(trial, SURPLUS)
            return None
        return self._query(trial, architecture, start, fidelity=None, known=known)

    def tell(self, query: Query, evaluation: Evaluation) -> Record:
        """End a query with what became of it.

        Where other hosts have not heard of this process for so long that they gave the query up, it stays so.
        """
        with suppress(UpdateFinishedTrialError):
            self._write(query.trial, evaluation)
        return Record(
            number=query.number,
            architecture=query.architecture,
            state="failed" if evaluation.reason else "complete",
            metrics=evaluation.metrics,
            reason=evaluation.reason,
            predicted=query.predicted,
            ask_seconds=query.ask_seconds,
            evaluation_seconds=evaluation.seconds,
            fidelity=query.fidelity,
            curve=evaluation.curve,
        )

    def beat(self) -> None:
        """Give a sign of life for every query that this search has begun and not ended."""
        for trial, owner in self._running():
            if owner.get("run") == self._owner.run:
                annotate(self._study, trial, SEEN, time.time())

    def recover(self) -> None:
        """Give up the queries of processes that have ended; their architectures may be proposed again."""
        for trial, owner in self._running():
            if is_gone(owner, seen=float(trial.system_attrs.get(SEEN, 0.0))):
                self._discard(trial, INTERRUPTED)

    def release(self) -> None:
        """Give up the queries that this search has begun and not ended."""
        for trial, owner in self._running():
            if owner.get("run") == self._owner.run:
                self._discard(trial, INTERRUPTED)

    def _write(self, trial: Trial, evaluation: Evaluation) -> None:
        metrics = evaluation.metrics
        trial.set_user_attr(EVALUATION_SECONDS, evaluation.seconds)
        for step, value in evaluation.curve.items():
            # Not `Trial.report`, which a study of several objectives refuses.
            self._study._storage.set_trial_intermediate_value(trial._trial_id, step, value)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        if evaluation.reason:
            trial.set_user_attr(REASON, evaluation.reason)
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            trial.set_user_attr(METRICS, dict(metrics))
            for limit in self._goal.limits:
                trial.set_constraint(str(limit), limit.violation(metrics))
            self._study.tell(trial, [metrics[objective.metric] for objective in self._goal.objectives])

    def _running(self) -> Iterator[tuple[FrozenTrial, Mapping[str, object]]]:
        for trial in self._trials():
            if trial.state.is_finished():
                continue
            owner = trial.system_attrs.get(OWNER)
            if isinstance(owner, Mapping):
                yield trial, owner

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _begin(
        self,
        *,
        fidelity: int | None,
        params: Mapping[str, Choice] | None = None,
        notes: Mapping[str, Note] | None = None,
    ) -> Trial:
        """Create a trial whose owner is known from its first moment: `Study.ask` would name it only afterwards."""
        template = create_trial(
            state=TrialState.RUNNING,
            params={**(params or {})},
            distributions={name: self._parameters.distributions[name] for name in params or {}},
            user_attrs={} if fidelity is None else {FIDELITY: fidelity},
            system_attrs={OWNER: self._owner.to_json(), SEEN: time.time(), **(notes or {})},
        )
        study = self._study
        made = study._storage.create_new_trial(study._study_id, template)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        return Trial(study, made)

    def _query(
        self, trial: Trial, architecture: Architecture, start: float, *, fidelity: int | None, known: Metrics
    ) -> Query:
        trials = self._trials()
        predicted = next(predicted_by(found) for found in reversed(trials) if found.number == trial.number)
        seconds = time.perf_counter() - start
        trial.set_user_attr(ASK_SECONDS, seconds)
        return Query(
            trial=trial,
            number=sum(counts(found) for found in trials if found.number < trial.number),
            architecture=architecture,
            predicted=predicted,
            ask_seconds=seconds,
            fidelity=fidelity,
            known=known,
        )

    def _canonical(self, trial: FrozenTrial) -> Architecture | None:
        architecture = architecture_of(trial, self._parameters)
        return None if architecture is None else self._parameters.space.canonical(architecture)

    def _discard(self, trial: FrozenTrial | Trial, why: str) -> None:
        try:
            annotate(self._study, trial, UNSEEN, why)
        except UpdateFinishedTrialError:
            return  # another process has given it up already
        self._study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
