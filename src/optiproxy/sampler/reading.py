"""How an ordinary Optuna study is read: its space from what the objective suggests, its goal, and what a trial measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.search_space import intersection_search_space
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from optiproxy.metrics import Goal, Limit, Metrics, Objective
from optiproxy.spaces import Choice, FlatSpace
from optiproxy.spaces.scales import Float, Int

if TYPE_CHECKING:
    from optuna.study import Study


def goal_of(study: Study, trials: Sequence[FrozenTrial]) -> Goal:
    """What a study is after: its values are ``objective_0 ..``, and its constraints keep to ``<= 0``.

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
        tuple(Limit(name, 0.0) for name in sorted(names)),
    )


def metrics_of(trial: FrozenTrial) -> Metrics:
    """What a finished trial measured, under the names of `goal_of`; empty where it failed.

    A pruned trial counts with the last value it reported; in a study of several objectives it has failed.
    """
    if trial.state == TrialState.COMPLETE:
        values: Sequence[float] = trial.values
    elif trial.state == TrialState.PRUNED and trial.last_step is not None:
        values = [trial.intermediate_values[trial.last_step]]
    else:
        return {}
    return {**trial.constraints, **{f"objective_{i}": v for i, v in enumerate(values) if not math.isnan(v)}}


def common_parameters(study: Study) -> dict[str, BaseDistribution]:
    """The parameters that all finished trials have in common, as far as they are decisions of an `inferred_space`."""
    common = intersection_search_space(study.get_trials(deepcopy=False), include_pruned=True)
    # Optuna fills in ranges of one value by itself.
    return modelled({name: found for name, found in common.items() if not found.single()})


def modelled(distributions: Mapping[str, BaseDistribution]) -> dict[str, BaseDistribution]:
    """Those that can be decisions: all but categories that cannot be stored."""
    return {name: distribution for name, distribution in distributions.items() if len(choices_of(distribution))}


def choices_of(distribution: BaseDistribution) -> Sequence[Choice]:
    """Every value of a distribution, each once; empty where they cannot be stored."""
    if isinstance(distribution, IntDistribution):
        return Int(distribution.low, distribution.high, step=distribution.step, log=distribution.log)
    if isinstance(distribution, FloatDistribution):
        return Float(distribution.low, distribution.high, step=distribution.step, log=distribution.log)
    if isinstance(distribution, CategoricalDistribution):
        choices = list[object](distribution.choices)  # Optuna admits any object, with a warning
        storable = [choice for choice in choices if isinstance(choice, str | int | float | None)]
        return list(dict.fromkeys(storable)) if len(storable) == len(choices) else []
    return []


def inferred_space(distributions: Mapping[str, BaseDistribution]) -> FlatSpace:
    """The space of `modelled` distributions, one decision each.

    Raises:
        UsageError: If there are none.
    """
    return FlatSpace({name: choices_of(distribution) for name, distribution in distributions.items()}, name="inferred")
