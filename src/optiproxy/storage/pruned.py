"""What pruned trials would have reached: read off the learning curves of trials that went on to the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np
from optuna.trial import FrozenTrial, TrialState

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 3
"""So many complete trials have to show what a value at a step is worth."""


@final
class Curves:
    """The learning curves of a study with one objective.

    A pruned trial is expected to end where a complete one ended that had the same value at the same step. Early values are
    not the last ones, and curves cross, so this is the best increasing function of the value at the step, by least squares
    and linear between the trials. Beyond their values the expectation goes on with slope 1, so that the worse of two stays
    the worse.

    Args:
        trials: Finished ones, in the order in which they ended. The first 3, 6, 12, 24 and so on that are complete are
            compared with: what is expected changes so rarely because with its past an algorithm is built anew.
    """

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
        doublings = (len(complete) // FEWEST).bit_length() - 1
        self._complete = complete[: FEWEST * 2**doublings] if doublings >= 0 else []
        self._steps: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]] | None] = {}

    def expected(self, trial: FrozenTrial) -> float | None:
        """Return the value that a pruned trial would have had at the end.

        It is the last one that it reported where too few complete trials reported at that step, and None where it has
        reported none.
        """
        step = trial.last_step
        if step is None:
            return None
        value = trial.intermediate_values[step]
        if step not in self._steps:
            self._steps[step] = self._ends(step)
        known = self._steps[step]
        if known is None or not math.isfinite(value):
            return value
        values, ends = known
        return float(np.interp(value, values, ends) + value - np.clip(value, values[0], values[-1]))

    def _ends(self, step: int) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return ``(k,)`` different values at a step, increasing, and ``(k,)`` values at the end; None of too few trials."""
        reported = [(t.intermediate_values[step], t.values[0]) for t in self._complete if step in t.intermediate_values]
        pairs = [pair for pair in reported if all(map(math.isfinite, pair))]
        if len(pairs) < FEWEST:
            return None
        from scipy.optimize import isotonic_regression  # loads here, not before

        values, ends = np.array(pairs).T
        values, places = np.unique(values, return_inverse=True)
        counts = np.bincount(places)
        means = np.bincount(places, weights=ends) / counts
        return values, isotonic_regression(means, weights=counts).x
