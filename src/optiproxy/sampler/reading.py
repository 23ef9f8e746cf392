"""How an ordinary Optuna study is read: all of its trials, its goal, what a trial measured, and what is fixed in one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import PartialFixedSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from optiproxy.metrics import Goal, Limit, Metrics, Objective
from optiproxy.storage.pruned import Curves
from optiproxy.storage.schema import FIXED

if TYPE_CHECKING:
    from optuna.study import Study


def other_trials(study: Study, trial: FrozenTrial) -> list[FrozenTrial]:
    """All trials of a study but one, also where Optuna shows a part of them: `HyperbandPruner` hides other brackets."""
    storage, identity = study._storage, study._study_id  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return [other for other in storage.get_all_trials(identity, deepcopy=False) if other.number != trial.number]


def goal_of(study: Study, trials: Sequence[FrozenTrial]) -> Goal:
    """What a study is after: its values are ``objective_0 ..``, and its constraints keep to ``<= 0``.

    A trial that has not set a constraint keeps it, as with Optuna's own samplers.

    Args:
        study: Tells the directions.
        trials: Of which the finished ones name the constraints; so a goal may grow with them.
    """
    names = {name for trial in trials if trial.state.is_finished() for name in trial.constraints}
    return Goal(
        tuple(
            Objective(f"objective_{i}", "min" if direction == StudyDirection.MINIMIZE else "max")
            for i, direction in enumerate(study.directions)
        ),
        tuple(Limit(name, 0.0, optional=True) for name in sorted(names)),
    )


def metrics_of(trials: Sequence[FrozenTrial]) -> list[Metrics]:
    """What finished trials measured, under the names of `goal_of`; empty where one failed.

    A pruned trial counts with what it is expected to have reached; in a study of several objectives it has failed.

    Args:
        trials: In the order in which they ended.
    """
    curves = Curves(trials)
    return [_metrics(trial, curves) for trial in trials]


def _metrics(trial: FrozenTrial, curves: Curves) -> Metrics:
    if trial.state == TrialState.COMPLETE:
        values: Sequence[float] = trial.values
    elif trial.state == TrialState.PRUNED and (expected := curves.expected(trial)) is not None:
        values = [expected]
    else:
        return {}
    return {**trial.constraints, **{f"objective_{i}": v for i, v in enumerate(values) if not math.isnan(v)}}


def fixed_values(study: Study, trial: FrozenTrial) -> dict[str, Any]:
    """Parameter name -> value, as far as that is settled before a sampler is asked.

    It is by `Study.enqueue_trial`, by `PartialFixedSampler`, or because it has been suggested already.
    """
    found: dict[str, Any] = {}
    sampler = study.sampler
    while isinstance(sampler, PartialFixedSampler):
        # Optuna asks the outer one first.
        found = {**sampler._fixed_params, **found}  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        sampler = sampler._base_sampler  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    enqueued = trial.system_attrs.get(FIXED)
    return {**found, **(enqueued if isinstance(enqueued, Mapping) else {}), **trial.params}


def fitted(value: object, distribution: BaseDistribution) -> Any | None:  # noqa: ANN401 - as Optuna has it
    """The value of a distribution that is nearest to another value; None where there is none.

    An objective may suggest another range in each trial, while a proposal is made for the widest.
    """
    if isinstance(distribution, CategoricalDistribution):
        return value if value in distribution.choices else None
    if not isinstance(distribution, IntDistribution | FloatDistribution) or not isinstance(value, int | float):
        return None
    step = distribution.step
    inside = min(max(value, distribution.low), distribution.high)
    if step is not None:
        inside = min(distribution.low + round((inside - distribution.low) / step) * step, distribution.high)
    return int(inside) if isinstance(distribution, IntDistribution) else float(inside)
