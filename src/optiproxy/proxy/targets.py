"""What the proxy learns: one column per wanted metric, normalised from the finished trials alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from optiproxy.metrics import Goal, Metrics

Array = NDArray[np.float64]


EVEN = 40
"""Number of trials from which on values weigh more than their ranks."""


class Scale(Protocol):
    """A monotone map from measured values to scores of size about 1."""

    def score(self, observed: Array) -> Array:
        """Scores of observed values; a value that is not finite is as bad as the worst one seen."""
        ...

    def value(self, score: float) -> float:
        """The inverse of `score`."""
        ...


@dataclass(frozen=True)
class RankGaussian:
    """Normal scores: values are replaced by the normal quantiles of their ranks, so that no outlier dominates.

    Attributes:
        values: ``(k,)`` distinct finite values, increasing.
        scores: ``(k,)`` their scores, increasing; tied values share the mean of their ranks.
    """

    values: Array
    scores: Array

    @classmethod
    def fit(cls, observed: Array) -> RankGaussian:
        """The scale of these values; those that are not finite rank below all others and have no place on it."""
        finite = observed[np.isfinite(observed)]
        values, counts = np.unique(finite, return_counts=True)
        lowest = len(observed) - len(finite)
        ranks = lowest + np.cumsum(counts) - counts / 2
        return cls(values, ndtri(ranks / max(len(observed), 1)))

    def score(self, observed: Array) -> Array:
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


def tempered_ranks(observed: Array) -> RankGaussian:
    """Scores between those of `RankGaussian` and the values themselves, nearer to these the more trials there are.

    Few values say hardly more than their order. Of many, ranks would tell apart what only noise does, and lose how far
    apart the best ones are. Of the values those below the median are taken in proportion to a logarithm, so that how bad
    a bad one is matters little.
    """
    ranks = RankGaussian.fit(observed)
    finite = observed[np.isfinite(observed)]
    if len(ranks.values) < 2:
        return ranks
    median = float(np.median(finite))
    upper = finite[finite >= median] - median
    # The median deviation above, as the standard deviation of a normal distribution.
    unit = 1.4826 * float(np.median(upper)) or float(finite.std())

    def curve(values: Array) -> Array:
        z = (values - median) / unit
        return np.where(z < 0, -np.log1p(np.maximum(-z, 0.0)), z)

    curved = curve(finite)
    share = len(finite) / (len(finite) + EVEN)
    # In ratio to the spread, which that of the ranks is, too.
    curved_scores = (curve(ranks.values) - curved.mean()) / curved.std()
    return replace(ranks, scores=(1 - share) * ranks.scores + share * curved_scores)


@dataclass(frozen=True)
class ArcsinhSlack:
    """Slack, for limits: 0 at the bound, in proportion to the measured distance near it, like its logarithm far off.

    A cost is closer to a sum over operations than its rank is, and what matters is on which side of the bound it lies.

    Attributes:
        unit: The typical distance from the bound; NaN where nothing was measured.
        worst: The least slack seen.
    """

    unit: float
    worst: float

    @classmethod
    def fit(cls, observed: Array) -> ArcsinhSlack:
        """The scale of these slacks."""
        finite = observed[np.isfinite(observed)]
        if not len(finite):
            return cls(math.nan, 0.0)
        return cls(float(np.median(np.abs(finite))) or 1.0, float(finite.min()))

    def score(self, observed: Array) -> Array:
        if math.isnan(self.unit):
            return np.zeros(len(observed))
        return np.arcsinh(np.where(np.isfinite(observed), observed, self.worst) / self.unit)

    def value(self, score: float) -> float:
        return float(np.sinh(score)) * self.unit


@dataclass(frozen=True)
class Standard:
    """Zero mean and unit standard deviation, as the paper has it for objectives and limits alike.

    Attributes:
        mean: Of the values seen, the missing ones counted as the worst.
        std: Their standard deviation.
        worst: What a missing value counts as.
    """

    mean: float
    std: float
    worst: float

    @classmethod
    def fit(cls, observed: Array) -> Standard:
        """The scale of these values."""
        finite = observed[np.isfinite(observed)]
        worst = float(finite.min()) if len(finite) else 0.0
        filled = np.where(np.isfinite(observed), observed, worst)
        # Of equal values the standard deviation may still be a rounding error.
        return cls(float(filled.mean()), float(filled.std()) if np.ptp(filled) > 0 else 0.0, worst)

    def score(self, observed: Array) -> Array:
        filled = np.where(np.isfinite(observed), observed, self.worst)
        return (filled - self.mean) / self.std if self.std else np.zeros_like(filled)

    def value(self, score: float) -> float:
        return score * self.std + self.mean


@dataclass(frozen=True)
class Targets:
    """The finished trials as columns for the proxy, larger = better in each.

    Attributes:
        scores: ``(n, m)`` objectives first, then one column of slack per limit: how far inside it is, positive where kept.
            Where trainings failed a last column says which: 1 if all was measured, -1 if not. What was not measured is NaN
            in the others.
        scales: How each column was normalised, but for that last one.
    """

    scores: Array
    scales: tuple[Scale, ...]

    def describe(self, goal: Goal, scores: Sequence[float]) -> dict[str, float]:
        """Metric name -> value in its unit, from one predicted score per column."""
        found: dict[str, float] = {}
        o = len(goal.objectives)
        for objective, scale, score in zip(goal.objectives, self.scales[:o], scores[:o], strict=True):
            found[objective.metric] = scale.value(score) * (1.0 if objective.direction == "max" else -1.0)
        for limit, scale, score in zip(goal.limits, self.scales[o:], scores[o : len(self.scales)], strict=True):
            sign = -1.0 if limit.sense == "<=" else 1.0
            found.setdefault(limit.metric, limit.bound + sign * scale.value(score))
        return {name: value for name, value in found.items() if np.isfinite(value)}

    def intervals(
        self, goal: Goal, mean: Sequence[float], std: Sequence[float], *, level: float
    ) -> dict[str, tuple[float, float]]:
        """Metric name -> the bounds, in its unit, between which a measurement lies with a probability of ``level``.

        A metric without uncertainty has none: its standard deviation is 0, or only one value of it was ever seen.

        Args:
            goal: Whose metrics the columns are.
            mean: ``m`` predicted scores.
            std: Their standard deviations, noise included.
            level: Between 0 and 1; half of the rest lies on either side.
        """
        away = float(ndtri((1 + level) / 2))
        below = self.describe(goal, [m - away * s for m, s in zip(mean, std, strict=True)])
        above = self.describe(goal, [m + away * s for m, s in zip(mean, std, strict=True)])
        # What is better is smaller in some units.
        ends = {name: sorted((value, above[name])) for name, value in below.items() if name in above}
        return {name: (low, high) for name, (low, high) in ends.items() if low < high}


@dataclass(frozen=True, kw_only=True)
class Normalization:
    """How measured values become scores, from the finished trials alone: nothing of a whole table, nothing kept.

    Attributes:
        objectives: Fits the scale of one objective to its observed values, larger = better.
        limits: Fits the scale of one limit to the observed slacks, positive where the limit is kept.
        failures: Whether what could not be measured is learned as one more metric, like a limit that all successful
            trainings keep. A failure says nothing of how good the network would have been. Otherwise it counts as the worst
            value seen.
    """

    objectives: Callable[[Array], Scale] = tempered_ranks
    limits: Callable[[Array], Scale] = ArcsinhSlack.fit
    failures: bool = True

    def __call__(self, goal: Goal, metrics: Sequence[Metrics]) -> Targets:
        """The targets of ``n`` trials."""
        gains = [np.array([objective.gain(m) for m in metrics]) for objective in goal.objectives]
        slacks = [_settled(np.array([-limit.violation(m) for m in metrics])) for limit in goal.limits]
        columns = [*gains, *slacks]
        known = [self._known(column) for column in columns]
        fits = [self.objectives] * len(gains) + [self.limits] * len(slacks)
        scales = tuple(fit(column[rows]) for fit, column, rows in zip(fits, columns, known, strict=True))
        scores = np.full((len(metrics), len(columns)), np.nan)
        for i, (scale, column, rows) in enumerate(zip(scales, columns, known, strict=True)):
            scores[rows, i] = scale.score(column[rows])
        succeeded = np.isfinite(columns).all(0)
        if self.failures and not succeeded.all():
            scores = np.column_stack([scores, np.where(succeeded, 1.0, -1.0)])
        return Targets(scores, scales)

    def _known(self, column: Array) -> NDArray[np.bool_]:
        """Which rows of a column a scale is fitted to; all where nothing was ever measured, so that all are equal."""
        measured = np.isfinite(column)
        return measured if self.failures and measured.any() else np.ones_like(measured)


def _settled(slack: Array) -> Array:
    """What keeps a limit without a measurement, with slack ``inf``, is as far inside as others typically are from it."""
    finite = slack[np.isfinite(slack)]
    typical = float(np.median(np.abs(finite))) if len(finite) else 1.0
    return np.where(slack == np.inf, typical or 1.0, slack)
