"""What the proxy learns: one column per wanted metric, normalised from the finished trials alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from optiproxy.metrics import Goal, Metrics

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """Normal scores: values are replaced by the normal quantiles of their ranks, so that no outlier dominates.

    Attributes:
        values: ``(k,)`` distinct finite values, increasing.
        scores: ``(k,)`` their scores, increasing; tied values share the mean of their ranks.
    """

    values: Array
    scores: Array

    @classmethod
    def fit(cls, observed: Array) -> Scale:
        """The scale of these values; those that are not finite rank below all others and have no place on it."""
        finite = observed[np.isfinite(observed)]
        values, counts = np.unique(finite, return_counts=True)
        lowest = len(observed) - len(finite)
        ranks = lowest + np.cumsum(counts) - counts / 2
        return cls(values, ndtri(ranks / max(len(observed), 1)))

    def score(self, observed: Array) -> Array:
        """Scores of observed values; a value that is not finite is as bad as the worst one seen."""
        if not len(self.values):
            return np.zeros(len(observed))
        return np.interp(np.nan_to_num(observed, nan=-np.inf, posinf=-np.inf), self.values, self.scores)

    def value(self, score: float) -> float:
        """The inverse of `score` between the values seen, extended in a straight line beyond them."""
        if len(self.values) < 2:
            return float(self.values[0]) if len(self.values) else float("nan")
        inside = float(np.interp(score, self.scores, self.values))
        slope = (self.values[-1] - self.values[0]) / (self.scores[-1] - self.scores[0])
        return inside + float(slope * (score - np.clip(score, self.scores[0], self.scores[-1])))

    def threshold(self, value: float) -> float:
        """The score that separates what is at least ``value`` from what is less."""
        above = self.values >= value
        if above.all() or not above.any():
            # Not seen on one side yet: the boundary lies half a standard deviation beyond what was seen.
            if not len(self.values):
                return 0.0
            return float(self.scores[0] - 0.5) if above.all() else float(self.scores[-1] + 0.5)
        return float((self.scores[~above][-1] + self.scores[above][0]) / 2)


@dataclass(frozen=True)
class Targets:
    """The finished trials as columns for the proxy, larger = better in each.

    Attributes:
        scores: ``(n, m)`` objectives first, then one column of slack (how far inside the limit) per limit.
        scales: How each column was normalised.
        thresholds: Per limit, the score that a feasible architecture reaches.
    """

    scores: Array
    scales: tuple[Scale, ...]
    thresholds: tuple[float, ...]

    @classmethod
    def of(cls, goal: Goal, metrics: Sequence[Metrics]) -> Targets:
        """Normalise; a failed training or a missing metric is as bad as the worst one seen."""
        gains = [[objective.gain(m) for m in metrics] for objective in goal.objectives]
        slack = [[-limit.violation(m) for m in metrics] for limit in goal.limits]
        columns = [np.asarray(column, dtype=np.float64) for column in (*gains, *slack)]
        scales = tuple(Scale.fit(column) for column in columns)
        scores = np.stack([scale.score(column) for scale, column in zip(scales, columns, strict=True)], 1)
        limits = scales[len(goal.objectives) :]
        return cls(scores, scales, tuple(scale.threshold(0.0) for scale in limits))

    def describe(self, goal: Goal, scores: Sequence[float]) -> dict[str, float]:
        """Metric name -> value in its unit, from one predicted score per column."""
        found: dict[str, float] = {}
        m = len(goal.objectives)
        for objective, scale, score in zip(goal.objectives, self.scales[:m], scores[:m], strict=True):
            found[objective.metric] = scale.value(score) * (1.0 if objective.direction == "max" else -1.0)
        for limit, scale, score in zip(goal.limits, self.scales[m:], scores[m:], strict=True):
            sign = -1.0 if limit.sense == "<=" else 1.0
            found.setdefault(limit.metric, limit.bound + sign * scale.value(score))
        return {name: value for name, value in found.items() if np.isfinite(value)}
