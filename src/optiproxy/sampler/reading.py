"""How an algorithm sees an Optuna study: what is wanted, and what a finished trial measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, final

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from optiproxy.metrics import Goal, Limit, Metrics, Objective


class Reading(Protocol):
    """Two pure functions of what a study stores."""

    def goal(self, study: Study, finished: Sequence[FrozenTrial]) -> Goal:
        """What the study is after; asked before each proposal, so it may grow with the trials."""
        ...

    def metrics(self, trial: FrozenTrial) -> Metrics:
        """What a finished trial measured; empty where it failed. Asked once per trial."""
        ...


@final
class ObjectivesAndConstraints:
    """The reading of an ordinary study: its values are ``objective_0 ..``, its constraints keep to ``<= 0``.

    A pruned trial counts with the last value it reported; in a study of several objectives it has failed.
    """

    def goal(self, study: Study, finished: Sequence[FrozenTrial]) -> Goal:
        directions = study.directions
        names = {name for trial in finished for name in trial.constraints}
        return Goal(
            tuple(
                Objective(f"objective_{i}", "min" if direction == StudyDirection.MINIMIZE else "max")
                for i, direction in enumerate(directions)
            ),
            tuple(Limit(name, 0.0) for name in sorted(names)),
        )

    def metrics(self, trial: FrozenTrial) -> Metrics:
        if trial.state == TrialState.COMPLETE:
            values: Sequence[float] = trial.values
        elif trial.state == TrialState.PRUNED and trial.last_step is not None:
            values = [trial.intermediate_values[trial.last_step]]
        else:
            return {}
        return {**trial.constraints, **{f"objective_{i}": v for i, v in enumerate(values) if not math.isnan(v)}}
