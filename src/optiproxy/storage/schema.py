"""A query as an Optuna trial: what is written beside it, and how it is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial, TrialState

from optiproxy.metrics import Goal, Metrics
from optiproxy.storage.claims import PREDICTED, UNSEEN, architecture_of
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.record import Record

if TYPE_CHECKING:
    from optuna.study import Study

METRICS = "metrics"
REASON = "reason"
ASK_SECONDS = "ask_seconds"
EVALUATION_SECONDS = "evaluation_seconds"
FIDELITY = "fidelity"
"""User attributes of a trial; `Record` says what they hold."""

OWNER = "optiproxy:owner"
"""System attribute: the `Owner` of a query. What has none is no query."""

SEEN = "optiproxy:seen"
"""System attribute: the last sign of life from its owner, in seconds since 1970."""

PROMOTED = "promoted"
"""Why algorithms do not see a trial: it repeats another at the full fidelity. It counts, apart from the budget."""

INTERRUPTED, EXHAUSTED, SURPLUS = "interrupted", "exhausted", "surplus"
"""Why algorithms do not see a trial, and nobody counts it: its evaluation was cut off, there was no architecture left to
evaluate, or another process was first to begin the last query of the budget."""


@dataclass(frozen=True)
class RecordedMetrics:
    """Lets the sampler read goal and metrics as the search knows them."""

    wanted: Goal

    def goal(self, study: Study, finished: Sequence[FrozenTrial]) -> Goal:  # noqa: ARG002 - `Reading`
        return self.wanted

    def metrics(self, trial: FrozenTrial) -> Metrics:
        return metrics_of(trial)


def finished_records(study: Study, parameters: Parameters) -> list[Record]:
    """All finished queries of a study, in the order in which they finished."""
    found: list[tuple[datetime, int, Record]] = []
    counted = [trial for trial in study.get_trials(deepcopy=False) if counts(trial)]
    for number, trial in enumerate(counted):
        architecture = architecture_of(trial, parameters)
        if trial.state.is_finished() and architecture is not None and trial.datetime_complete is not None:
            record = Record(
                number=number,
                architecture=architecture,
                state="complete" if trial.state == TrialState.COMPLETE else "failed",
                metrics=metrics_of(trial),
                reason=str(trial.user_attrs.get(REASON, "")),
                predicted=predicted_by(trial),
                ask_seconds=float(trial.user_attrs.get(ASK_SECONDS, 0.0)),
                evaluation_seconds=float(trial.user_attrs.get(EVALUATION_SECONDS, 0.0)),
                fidelity=trial.user_attrs.get(FIDELITY),
                curve=dict(sorted(trial.intermediate_values.items())),
            )
            found.append((trial.datetime_complete, number, record))
    return [record for _, _, record in sorted(found, key=lambda entry: entry[:2])]


def is_exhausted(study: Study) -> bool:
    """Whether the last attempt to propose an architecture found none left."""
    trials = study.get_trials(deepcopy=False)
    attempts = [trial for trial in trials if explores(trial) or trial.system_attrs.get(UNSEEN) == EXHAUSTED]
    return bool(attempts) and UNSEEN in attempts[-1].system_attrs


def metrics_of(trial: FrozenTrial) -> Metrics:
    """What a trial measured; empty where it failed."""
    return dict(trial.user_attrs.get(METRICS, {})) if trial.state == TrialState.COMPLETE else {}


def predicted_by(trial: FrozenTrial) -> Metrics:
    """What the algorithm expected of it."""
    return dict(trial.system_attrs.get(PREDICTED, {}))


def explores(trial: FrozenTrial) -> bool:
    """Whether it counts against the budget: proposed by the algorithm, running or finished, here or elsewhere."""
    return OWNER in trial.system_attrs and UNSEEN not in trial.system_attrs


def promotes(trial: FrozenTrial) -> bool:
    """Whether it repeats another query at the full fidelity."""
    return OWNER in trial.system_attrs and trial.system_attrs.get(UNSEEN) == PROMOTED


def counts(trial: FrozenTrial) -> bool:
    """Whether it is a query at all."""
    return explores(trial) or promotes(trial)
