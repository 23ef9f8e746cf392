"""Early stopping of trainings: Optuna's pruners, asked in the process that trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, create_trial

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

    from optiproxy.metrics import Direction


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
