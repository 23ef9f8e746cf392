"""Trials as they are written: a query that begins, one that ends, and what else a study holds."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial, TrialState, create_trial

from optiproxy.execution.evaluation import Evaluation
from optiproxy.metrics import Goal, Metrics
from optiproxy.storage.liveness import Owner
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.schema import (
    ARCHITECTURE,
    ASK_SECONDS,
    ATTRIBUTES,
    EVALUATION_SECONDS,
    EXHAUSTED,
    FIDELITY,
    INTERVALS,
    KIND,
    METRICS,
    OUTPUT,
    OWNER,
    PREDICTED,
    REASON,
    RETRY_OF,
    SEEN,
    TRACEBACK,
    UNSEEN,
    Note,
)

if TYPE_CHECKING:
    from optiproxy.optimizer import Proposal
    from optiproxy.spaces import Architecture


def begun(
    proposal: Proposal,
    parameters: Parameters,
    *,
    owner: Owner,
    ask_seconds: float,
    fidelity: int | None,
    unseen: str | None = None,
    retry_of: int | None = None,
) -> FrozenTrial:
    """The trial of a query that begins, complete from its first moment, so that no other process sees half of it.

    Args:
        proposal: What is going to be evaluated.
        parameters: Of the space.
        owner: Who evaluates it.
        ask_seconds: Spent on the proposal.
        fidelity: Where it is evaluated; None means the full one.
        unseen: Why algorithms do not see it; None where they do.
        retry_of: Number of the failed trial that it repeats; None where it repeats none.
    """
    values = parameters.encode(proposal.architecture)
    notes: dict[str, Note] = {OWNER: owner.to_json(), SEEN: time.time(), ARCHITECTURE: values}
    notes |= predicted_notes(proposal)
    if unseen is not None:
        notes[UNSEEN] = unseen
    if retry_of is not None:
        notes[RETRY_OF] = retry_of
    return create_trial(
        state=TrialState.RUNNING,
        params=dict(values),
        distributions=dict(parameters.distributions),
        user_attrs={ASK_SECONDS: ask_seconds} | ({} if fidelity is None else {FIDELITY: fidelity}),
        system_attrs=notes,
    )


def predicted_notes(proposal: Proposal) -> dict[str, Note]:
    """System attributes that hold what is expected of a proposal; none where nothing is."""
    # numpy scalars would not pass through JSON.
    notes: dict[str, Note] = {
        PREDICTED: {name: float(value) for name, value in proposal.predicted.items()},
        INTERVALS: {name: [float(low), float(high)] for name, (low, high) in proposal.intervals.items()},
    }
    return {key: note for key, note in notes.items() if note}


def earlier_result(parameters: Parameters, architecture: Architecture, metrics: Metrics, goal: Goal) -> FrozenTrial:
    """A result from elsewhere, as a finished trial that algorithms learn from and no budget counts.

    Args:
        parameters: Of the space.
        architecture: What was evaluated.
        metrics: What was measured; every objective is among it.
        goal: Of the search.
    """
    return create_trial(
        state=TrialState.COMPLETE,
        values=[metrics[objective.metric] for objective in goal.objectives],
        params=dict(parameters.encode(architecture)),
        distributions=dict(parameters.distributions),
        user_attrs={METRICS: dict(metrics)},
        system_attrs={ARCHITECTURE: dict(parameters.encode(architecture))},
    )


def nothing_left(owner: Owner) -> FrozenTrial:
    """The finished trial that tells later runs, and `is_exhausted`, that no architecture was left."""
    notes: dict[str, Note] = {OWNER: owner.to_json(), SEEN: time.time(), UNSEEN: EXHAUSTED}
    return create_trial(state=TrialState.FAIL, system_attrs=notes)


def ended(begun: FrozenTrial, evaluation: Evaluation, goal: Goal, files: Mapping[str, Note]) -> FrozenTrial:
    """The trial of a query that has ended.

    Args:
        begun: As it was stored when it began.
        evaluation: What became of it.
        goal: Says which values and limits Optuna is told.
        files: System attributes that describe what the training has left.
    """
    texts = {
        TRACEBACK: evaluation.traceback,
        OUTPUT: evaluation.output,
        KIND: evaluation.kind,
        REASON: evaluation.reason,
    }
    notes: dict[str, object] = {
        EVALUATION_SECONDS: evaluation.seconds,
        **{key: text for key, text in texts.items() if text},
    }
    if evaluation.attributes:
        notes[ATTRIBUTES] = dict(evaluation.attributes)
    state, values = TrialState.COMPLETE, None
    constraints: dict[str, float] = {}
    if evaluation.reason:
        state = TrialState.FAIL
    elif evaluation.pruned:
        state = TrialState.PRUNED
        # As Optuna has it: its last value, where that is one.
        last = evaluation.curve[max(evaluation.curve)] if evaluation.curve else math.nan
        values = [last] if len(goal.objectives) == 1 and not math.isnan(last) else None
    else:
        notes[METRICS] = dict(evaluation.metrics)
        values = [evaluation.metrics[objective.metric] for objective in goal.objectives]
        constraints = {str(limit): limit.violation(evaluation.metrics) for limit in goal.limits}
    trial = create_trial(
        state=state,
        values=values,
        params=begun.params,
        distributions=begun.distributions,
        user_attrs={**begun.user_attrs, **notes},
        system_attrs={**begun.system_attrs, **evaluation.notes, **files},
        intermediate_values=dict(evaluation.curve),
        constraints=constraints,
    )
    trial.number, trial.datetime_start = begun.number, begun.datetime_start
    return trial


def given_up(begun: FrozenTrial, why: str) -> FrozenTrial:
    """The trial of a query that ends without a result, and that nobody counts: one of the reasons of `UNSEEN`."""
    trial = copy.copy(begun)
    trial.state = TrialState.FAIL
    trial.system_attrs = {**begun.system_attrs, UNSEEN: why}
    return trial


def late(ended: FrozenTrial) -> FrozenTrial:
    """A result that came after others had given its query up, as a trial that takes the place of that one."""
    trial = copy.copy(ended)
    trial.system_attrs = {**ended.system_attrs, RETRY_OF: ended.number}
    return trial
