"""A query as an Optuna trial: everything that is written beside it, and how it is read back.

The architecture stands in the trial's parameters, the objectives in its values, the limits in its constraints and the
learning curve in its intermediate values, so that whatever reads Optuna studies can read ours. The rest is attributes:
those for people are user attributes, those that searches need to agree with each other are system attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from optuna.trial import FrozenTrial, TrialState

from optiproxy.metrics import Goal, Metrics
from optiproxy.storage.artifacts import kept_files
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.pruned import Curves
from optiproxy.storage.record import Record

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

    from optiproxy.spaces import Architecture

METRICS = "metrics"
REASON = "reason"
ASK_SECONDS = "ask_seconds"
EVALUATION_SECONDS = "evaluation_seconds"
ATTRIBUTES = "attributes"
TRACEBACK = "traceback"
OUTPUT = "output"
KIND = "kind"
FIDELITY = "fidelity"
"""User attributes of a trial; `Record` says what they hold."""

ARCHITECTURE = "optiproxy:architecture"
"""System attribute: decision name -> value of what the trial is going to evaluate, its claim; None once withdrawn.

A search writes it with the trial. The Optuna sampler, whose trials begin without parameters, writes it before these."""

FIXED = "fixed_params"
"""System attribute of Optuna's own: parameter name -> value of a trial that was enqueued, as far as it was given."""

PREDICTED = "optiproxy:predicted"
"""System attribute: metric name -> value that the algorithm expects."""

INTERVALS = "optiproxy:intervals"
"""System attribute: metric name -> the two bounds of `Proposal.intervals`. Older studies have none."""

OWNER = "optiproxy:owner"
"""System attribute: the `Owner` of a query. A trial that has none is no query of a search."""

SEEN = "optiproxy:seen"
"""System attribute: the last sign of life from its owner, in seconds since 1970."""

UNSEEN = "optiproxy:unseen"
"""System attribute of a trial that algorithms do not see: why, one of the following."""

PROMOTED = "promoted"
"""It repeats another trial at the full fidelity. It counts, apart from the budget."""

INTERRUPTED, EXHAUSTED, SURPLUS, DUPLICATE = "interrupted", "exhausted", "surplus", "duplicate"
"""Nobody counts it: its evaluation was cut off, there was no architecture left to evaluate, or another process was first
to begin the last query of the budget, or one of the same architecture."""

RETRY_OF = "optiproxy:retry_of"
"""System attribute: number of the failed trial that this one tries again, and takes the place of."""

STOPPED = "optiproxy:stopped"
"""User attribute of the study: why the latest run has ended."""

Note = Mapping[str, str | int | float | bool | list[float] | None] | str | float | None
"""What an attribute may hold: anything nearly flat that JSON can store."""


def annotate(study: Study, trial: FrozenTrial | Trial, key: str, value: Note) -> None:
    """Write a system attribute, as Optuna's own samplers do; an Optuna trial object exists only in its own process."""
    storage, identity = study._storage, trial._trial_id  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    storage.set_trial_system_attr(identity, key, value)


def architecture_of(trial: FrozenTrial, parameters: Parameters) -> Architecture | None:
    """What a trial evaluates: its parameters if they are complete, else what it claims or is given, else None."""
    claim, fixed = (trial.system_attrs.get(key) for key in (ARCHITECTURE, FIXED))
    # Optuna keeps the first of two choices that are equal, like 1 and True; the claim says which of them it was.
    known = trial.params
    claimed = {name: value for name, value in (claim or {}).items() if name in known and known[name] == value}
    for values in ({**known, **claimed}, claim, fixed):
        found = parameters.decode(values) if isinstance(values, Mapping) else None
        if found is not None:
            return found
    return None


def metrics_of(trials: Sequence[FrozenTrial], goal: Goal | None = None) -> list[Metrics]:
    """What trials measured; empty where one failed. A pruned one counts with what it is expected to have reached.

    Args:
        trials: In the order in which they ended.
        goal: Whose objective the curves are of; None where nothing is pruned.
    """
    if goal is None or not any(trial.state == TrialState.PRUNED for trial in trials):
        return [_metrics(trial) for trial in trials]
    curves, objective = Curves(trials), goal.objectives[0].metric
    return [
        {objective: expected}
        if trial.state == TrialState.PRUNED and (expected := curves.expected(trial)) is not None
        else _metrics(trial)
        for trial in trials
    ]


def _metrics(trial: FrozenTrial) -> Metrics:
    return _numbers(trial.user_attrs.get(METRICS, {})) if trial.state == TrialState.COMPLETE else {}


def _numbers(stored: Mapping[str, float]) -> dict[str, float]:
    """What a study holds as name -> number; a `TypeError` where it is something else."""
    found = dict(stored)
    if not all(type(value) in (float, int) for value in found.values()):
        raise TypeError(f"{found!r:.80} is no mapping of numbers")
    return {name: float(value) for name, value in found.items()}


def explores(trial: FrozenTrial) -> bool:
    """Whether it counts against the budget: proposed by the algorithm, running or finished, here or elsewhere."""
    return OWNER in trial.system_attrs and UNSEEN not in trial.system_attrs


def was_given_up(trial: FrozenTrial) -> bool:
    """Whether a trial has ended without a result, because nobody counts on it any more."""
    return trial.state.is_finished() and trial.system_attrs.get(UNSEEN) == INTERRUPTED


def promotes(trial: FrozenTrial) -> bool:
    """Whether it repeats another query at the full fidelity."""
    return OWNER in trial.system_attrs and trial.system_attrs.get(UNSEEN) == PROMOTED


_STATES: Mapping[TrialState, Literal["complete", "pruned"]] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
}


def current(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials without failed ones that others have tried again; these stand in the place of the first try."""
    # One that was given up again stands for nothing.
    tries = [t for t in trials if RETRY_OF in t.system_attrs and (explores(t) or promotes(t))]
    told: dict[int, int] = {t.number: t.system_attrs[RETRY_OF] for t in tries}
    # A study from elsewhere may say that a trial repeats itself, which would have no first one.
    before = {number: first for number, first in told.items() if first < number}
    if not before:
        return [*trials]

    def place(number: int) -> int:
        while number in before:
            number = before[number]
        return number

    repeated = {*before.values()}
    return sorted((t for t in trials if t.number not in repeated), key=lambda t: place(t.number))


def finished_records(trials: Sequence[FrozenTrial], parameters: Parameters, root: Path | None = None) -> list[Record]:
    """All finished queries of a study, in the order in which they finished.

    Args:
        trials: All of the study.
        parameters: Of the space.
        root: Where the study's artifacts lie, if that is known.
    """
    found: list[tuple[datetime, int, Record]] = []
    # Numbered without what nobody counts: an interrupted query leaves no gap, so the numbers are those of an
    # uninterrupted search.
    counted = [trial for trial in current(trials) if explores(trial) or promotes(trial)]
    for number, trial in enumerate(counted):
        architecture = architecture_of(trial, parameters)
        if trial.state.is_finished() and architecture is not None and trial.datetime_complete is not None:
            record = Record(
                number=number,
                architecture=architecture,
                state=_STATES.get(trial.state, "failed"),
                metrics=_metrics(trial),
                reason=str(trial.user_attrs.get(REASON, "")),
                predicted=_numbers(trial.system_attrs.get(PREDICTED, {})),
                intervals={
                    name: (float(low), float(high))
                    for name, (low, high) in trial.system_attrs.get(INTERVALS, {}).items()
                },
                ask_seconds=float(trial.user_attrs.get(ASK_SECONDS, 0.0)),
                evaluation_seconds=float(trial.user_attrs.get(EVALUATION_SECONDS, 0.0)),
                fidelity=_count(trial.user_attrs.get(FIDELITY)),
                curve=dict(sorted(trial.intermediate_values.items())),
                attributes=dict(trial.user_attrs.get(ATTRIBUTES, {})),
                traceback=str(trial.user_attrs.get(TRACEBACK, "")),
                output=str(trial.user_attrs.get(OUTPUT, "")),
                kind=str(trial.user_attrs.get(KIND, "")),
                files=kept_files(trial, root),
                space=parameters.space,
            )
            found.append((trial.datetime_complete, number, record))
    return [record for _, _, record in sorted(found, key=lambda entry: entry[:2])]


def _count(stored: object) -> int | None:
    if stored is None or isinstance(stored, int):
        return stored
    raise TypeError(f"{stored!r:.80} is no whole number")


def is_exhausted(trials: Sequence[FrozenTrial]) -> bool:
    """Whether the last attempt to propose an architecture found none left."""
    # A study that was exhausted may have lost a query since, to an interrupt or a dead process, and gone on.
    attempts = [trial for trial in trials if explores(trial) or trial.system_attrs.get(UNSEEN) == EXHAUSTED]
    return bool(attempts) and UNSEEN in attempts[-1].system_attrs
