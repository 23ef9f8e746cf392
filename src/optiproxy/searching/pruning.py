"""Early stopping of trainings: Optuna's pruners and one of our own, asked in the process that trains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import optuna
from optuna.pruners import BasePruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from optiproxy.errors import UsageError

if TYPE_CHECKING:
    from optiproxy.metrics import Direction


@final
@dataclass(frozen=True)
class LeadersPruner(BasePruner):
    """Ends a training whose best value so far is worse than that of each of the best trainings at the same step.

    Once a search goes on where networks are good, half of its trainings are worse than the median and yet better than all
    before. What the best ones have looked like is the stricter measure, and the safer one, because curves that end best may
    begin below the median; docs/decisions/pruning.md has figures.

    Attributes:
        leaders: Number of the best trainings that are compared with.
        warm_up: Share of the steps that complete trainings take, before which nothing is ended.

    Raises:
        UsageError: If there is no leader, or the share is not between 0 and 1.
    """

    leaders: int = 5
    warm_up: float = 0.15

    def __post_init__(self) -> None:
        if self.leaders < 1 or not 0 <= self.warm_up <= 1:
            raise UsageError(
                f"Expected 1 or more leaders and a share from 0 to 1, got {self.leaders} and {self.warm_up}."
            )

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        step = trial.last_step
        complete = [t for t in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)) if t.intermediate_values]
        if step is None or len(complete) < self.leaders:
            return False
        steps = sorted(max(t.intermediate_values) for t in complete)
        if step < self.warm_up * steps[len(steps) // 2]:
            return False
        sign = -1.0 if study.direction == StudyDirection.MINIMIZE else 1.0

        def reached(t: FrozenTrial) -> float:
            return max((sign * v for s, v in t.intermediate_values.items() if s <= step), default=-math.inf)

        leading = sorted(complete, key=lambda t: -sign * t.values[0])[: self.leaders]
        return reached(trial) < min(map(reached, leading))


USUAL = LeadersPruner()
"""What judges trainings unless a search says otherwise."""


@final
class PrunerJudge:
    """A `Judge` that asks one of Optuna's pruners.

    It holds all that the pruner looks at, the curves of trainings that have ended, in a study of its own in memory, so
    that it can be sent to any process. What runs elsewhere at the same time it does not see.

    Args:
        pruner: One of Optuna's, or any other.
        direction: Of the objective, whose values are reported.
        finished: Trials that have ended, those that reported.
        name: Of the study; with the trial's number, `optuna.pruners.HyperbandPruner` chooses brackets by it.
        number: Of the trial that is judged.

    Attributes:
        notes: System attributes that the pruner has given the trial, to be stored with it: successive halving needs them later.
    """

    def __init__(
        self, pruner: BasePruner, direction: Direction, finished: Sequence[FrozenTrial], *, name: str, number: int
    ) -> None:
        self.notes: dict[str, Any] = {}
        self._pruner = pruner
        self._direction = StudyDirection.MINIMIZE if direction == "min" else StudyDirection.MAXIMIZE
        self._finished = [
            create_trial(
                state=trial.state,
                values=trial.values,
                intermediate_values=dict(trial.intermediate_values),
                system_attrs={key: note for key, note in trial.system_attrs.items() if "completed_rung" in key},
            )
            for trial in finished
        ]
        self._name = name
        self._number = number
        self._trial: Trial | None = None
        self._reported: set[int] = set()

    def __call__(self, curve: Mapping[int, float], /) -> bool:
        trial = self._trial = self._trial or self._begin()
        for step, value in sorted(curve.items()):
            if step not in self._reported:
                self._reported.add(step)
                trial.report(value, step)
        pruned = trial.should_prune()
        written = trial.storage.get_trial_system_attrs(trial._trial_id)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self.notes = {key: note for key, note in written.items() if "completed_rung" in key}
        return pruned

    def _begin(self) -> Trial:
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(study_name=self._name, direction=self._direction, pruner=self._pruner)
        study.add_trials(self._finished)
        optuna.logging.set_verbosity(verbosity)
        return study.ask()
