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


def joined(outcomes: Sequence[Outcome], weights: Sequence[float]) -> list[float]:
    """One loss per trial, whatever the limits, for optimizers of one objective; a failure is as bad as the worst.

    Several objectives, each scaled to the range of the trials, are joined by the augmented Chebyshev function (Knowles
    2006, ParEGO).

    Args:
        outcomes: Of all finished trials.
        weights: One per objective, positive, summing to 1.
    """
    measured = [outcome.losses for outcome in outcomes if outcome.measured]
    lowest = [min(column) for column in zip(*measured, strict=True)]
    ranges = [(max(column) - min(column)) or 1.0 for column in zip(*measured, strict=True)]

    def join(losses: Sequence[float]) -> float:
        terms = [w * (x - low) / reach for w, x, low, reach in zip(weights, losses, lowest, ranges, strict=True)]
        return losses[0] if len(losses) == 1 else max(terms) + 0.05 * sum(terms)

    values = {losses: join(losses) for losses in measured}
    worst = max(values.values(), default=0.0)
    return [values.get(outcome.losses, worst) for outcome in outcomes]


def penalised(outcomes: Sequence[Outcome], losses: Sequence[float]) -> list[float]:
    """The losses of `joined` for optimizers that know no limits.

    What is infeasible is worse than all that is feasible, the more the farther it is, by at most the range of the
    feasible: it tells the way back without drowning the differences that matter.
    """
    feasible = [loss for outcome, loss in zip(outcomes, losses, strict=True) if outcome.excess == 0]
    worst = max(feasible, default=0.0)
    reach = (worst - min(feasible, default=0.0)) or 1.0
    return [
        loss if outcome.excess == 0 else worst + reach * outcome.excess
        for outcome, loss in zip(outcomes, losses, strict=True)
    ]


def _squashed(value: float) -> float:
    """Into [-1, 1], the sign and the order kept, so that one outlier does not set the scale of a model."""
    return math.copysign(1.0, value) if math.isinf(value) else value / (1.0 + abs(value))
