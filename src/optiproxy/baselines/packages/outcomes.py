"""What a package is told of a finished trial: numbers to minimise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from optiproxy.metrics import Goal, Metrics


@dataclass(frozen=True)
class Outcome:
    """One trial in numbers, smaller = better.

    Attributes:
        losses: One per objective, in the metric's unit; infinite where it was not measured.
        violations: One per limit, within [-1, 1]: <= 0 where it is kept, 1 where its metric was not measured.
    """

    losses: tuple[float, ...]
    violations: tuple[float, ...]

    @classmethod
    def of(cls, goal: Goal, metrics: Metrics) -> Outcome:
        """Read the metrics as the goal does."""
        return cls(
            tuple(-gain for gain in goal.gains(metrics)),
            tuple(_squashed(limit.violation(metrics) / (abs(limit.bound) or 1.0)) for limit in goal.limits),
        )

    @property
    def measured(self) -> bool:
        """Whether every objective was."""
        return all(map(math.isfinite, self.losses))

    @property
    def excess(self) -> float:
        """How far it is from feasible: 0 if it is, at most 1; a failure is farthest."""
        if not self.measured:
            return 1.0
        return sum(max(0.0, violation) for violation in self.violations) / max(1, len(self.violations))


def penalised(outcomes: Sequence[Outcome], weights: Sequence[float]) -> list[float]:
    """One loss per trial, for optimizers that know neither limits nor several objectives.

    Several objectives, each scaled to the range of the feasible trials, are joined by the augmented Chebyshev function
    (Knowles 2006, ParEGO). What is infeasible is worse than all that is feasible, the more the farther it is, by at
    most their range: it tells the way back without drowning the differences that matter.

    Args:
        outcomes: Of all finished trials.
        weights: One per objective, positive, summing to 1.
    """
    feasible = [outcome.losses for outcome in outcomes if outcome.excess == 0]
    if len(weights) == 1:
        values = {losses: losses[0] for losses in feasible}
    else:
        lowest = [min(column) for column in zip(*feasible, strict=True)]
        ranges = [(max(column) - min(column)) or 1.0 for column in zip(*feasible, strict=True)]
        values = {losses: _chebyshev(losses, weights, lowest, ranges) for losses in feasible}
    worst = max(values.values(), default=0.0)
    spread = (worst - min(values.values(), default=0.0)) or 1.0
    return [values[outcome.losses] if outcome.excess == 0 else worst + spread * outcome.excess for outcome in outcomes]


def _chebyshev(
    losses: Sequence[float], weights: Sequence[float], lowest: Sequence[float], ranges: Sequence[float]
) -> float:
    terms = [
        weight * (loss - low) / reach for loss, weight, low, reach in zip(losses, weights, lowest, ranges, strict=True)
    ]
    return max(terms) + 0.05 * sum(terms)


def _squashed(value: float) -> float:
    """Into [-1, 1], the sign and the order kept, so that one outlier does not set the scale of a model."""
    return math.copysign(1.0, value) if math.isinf(value) else value / (1.0 + abs(value))
