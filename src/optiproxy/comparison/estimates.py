"""Figures over the seeds of one algorithm, with 95 % intervals: incumbents at checkpoints, and when the optimum is met.

A run that has not met the optimum is no number: its time is right-censored, and what is said of such times is said by survival
analysis.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.comparison.grid import TaskSetting

if TYPE_CHECKING:
    from numpy.typing import NDArray


CHECKPOINTS = (10, 25, 50, 100, 200)
"""Queries after which incumbents are looked at."""

RESAMPLES, SEED = 2000, 0


@dataclass(frozen=True, kw_only=True)
class OverSeeds:
    """A figure over the seeds of an algorithm. What a seed without anything feasible makes unknown is None.

    Attributes:
        mean: Mean; None unless every seed found something feasible.
        low: Lower end of the 95 % bootstrap interval of the mean (bias-corrected and accelerated, Efron 1987).
        high: Upper end of this interval.
        first: Lower quartile. It is the value of a seed, as are the two below; one without anything feasible is the worst.
        median: Median.
        third: Upper quartile.
    """

    mean: float | None
    low: float | None
    high: float | None
    first: float | None
    median: float | None
    third: float | None


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """How good an algorithm is after a number of queries.

    Attributes:
        found: Number of seeds that have found something feasible.
        best: The incumbent, in the metric's unit.
        regret: Simple regret: how far the incumbent is from the optimum; None where the optimum is unknown.
    """

    found: int
    best: OverSeeds
    regret: OverSeeds | None


def checkpoints(curves: NDArray[np.float64], setting: TaskSetting) -> dict[int, Checkpoint]:
    """Look at the incumbents of one algorithm.

    Args:
        curves: ``(s, queries)`` incumbents of ``s`` seeds, larger = better, ``-inf`` until something is feasible.
        setting: Says the unit and the optimum.

    Returns:
        Number of queries -> how good the algorithm is after them. The last query is always among them; where promotions come
        last, it is the only one, because nothing is known at the full fidelity before.
    """
    last = curves.shape[1]
    at = [] if setting.protocol.promote else [queries for queries in CHECKPOINTS if queries < last]
    at.append(last)
    gains = curves[:, [queries - 1 for queries in at]].T
    means = [float(row.mean()) if np.isfinite(row).all() else None for row in gains]
    # Values of seeds and no means of two: minus infinity and a number have no middle.
    quartiles = np.quantile(gains, [0.25, 0.5, 0.75], axis=1, method="inverted_cdf").T.tolist()
    sign = 1.0 if setting.first_objective.direction == "max" else -1.0
    found: dict[int, Checkpoint] = {}
    for queries, row, mean, interval, three in zip(at, gains, means, intervals(gains), quartiles, strict=True):
        figures = [mean, *interval, *(value if np.isfinite(value) else None for value in three)]
        optimum = setting.optimum
        found[queries] = Checkpoint(
            found=int(np.isfinite(row).sum()),
            best=_rescaled(figures, 0.0, sign),
            # In gains the regret is g(optimum) - gain, whatever the direction: larger gains are smaller regrets.
            regret=None if optimum is None else _rescaled(figures, sign * optimum, -1.0),
        )
    return found


def intervals(rows: NDArray[np.float64]) -> list[tuple[float | None, float | None]]:
    """The 95 % bootstrap interval of each row's mean, bias-corrected and accelerated (Efron 1987).

    Args:
        rows: ``(k, s)``, ``k`` samples of ``s`` values. A row that is not finite has no interval, nor has a single value;
            equal values have an interval of no width.
    """
    from scipy.stats import bootstrap

    found: list[tuple[float | None, float | None]] = [(None, None)] * len(rows)
    if rows.shape[1] < 2:
        return found
    # The acceleration is 0/0 where all values are equal.
    constant = (rows == rows[:, :1]).all(axis=1)
    varied = [i for i, row in enumerate(rows) if np.isfinite(row).all() and not constant[i]]
    for i in np.flatnonzero(constant & np.isfinite(rows[:, 0])):
        found[i] = (float(rows[i, 0]), float(rows[i, 0]))
    if varied:
        # The same resamples for every row, so that intervals differ by the values and not by luck.
        random = np.random.default_rng(SEED)
        made = bootstrap((rows[varied],), np.mean, axis=-1, n_resamples=RESAMPLES, rng=random).confidence_interval
        for i, low, high in zip(varied, made.low.tolist(), made.high.tolist(), strict=True):
            found[i] = (low, high)
    return found


def _rescaled(figures: list[float | None], origin: float, sign: float) -> OverSeeds:
    """``sign * (figure - origin)`` for each of the six figures; a change of sign swaps lower and upper bounds."""
    # + 0.0 makes -0.0 a plain zero.
    mean, low, high, first, median, third = (None if x is None else sign * (x - origin) + 0.0 for x in figures)
    if sign < 0:
        low, high, first, third = high, low, third, first
    return OverSeeds(mean=mean, low=low, high=high, first=first, median=median, third=third)


@dataclass(frozen=True, kw_only=True)
class MedianTimeToTarget:
    """After how many queries half of the runs have met the target.

    None stands for what lies beyond the queries that were made, and for an end of the interval of which nothing is known,
    because all runs have met the target before the curve of that end has fallen to one half.

    Attributes:
        median: Number of queries.
        low: Lower end of its 95 % interval (Brookmeyer and Crowley 1982).
        high: Upper end of this interval.
    """

    median: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Survival:
    """The share of runs that have not met the target yet, by the product-limit estimator of Kaplan and Meier (1958).

    Attributes:
        queries: ``(k,)`` numbers of queries at which the curves step, ascending.
        share: ``(k,)`` share from each step on; it is 1 before the first.
        low: ``(k,)`` lower end of the 95 % interval, from Greenwood's variance on the log-log scale.
        high: ``(k,)`` upper end of this interval.
    """

    queries: NDArray[np.float64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def median_time(self) -> MedianTimeToTarget:
        """Where the three curves fall to one half."""
        median, low, high = (self._reaches_half(curve) for curve in (self.share, self.low, self.high))
        return MedianTimeToTarget(median=median, low=low, high=high)

    def _reaches_half(self, curve: NDArray[np.float64]) -> float | None:
        # Shares are products of fractions, so one half may come out a little above itself.
        reached = np.flatnonzero(curve <= 0.5 + 1e-12)
        return float(self.queries[reached[0]]) if len(reached) else None


def survival(met: Sequence[int | None], *, last: int) -> Survival:
    """The survival curve of one algorithm.

    Args:
        met: With which query each run met the target; None for a run that never did.
        last: Number of queries of such a run, after which nothing is known of it.
    """
    from scipy.stats import CensoredData, ecdf

    # All are censored at the same query: a run ends at its budget, not because of how it goes, as the estimator assumes.
    times = CensoredData.right_censored([last if at is None else at for at in met], [at is None for at in met])
    curve = ecdf(times).sf
    with warnings.catch_warnings():
        # Where no run or every run has met the target, Greenwood's variance is 0/0; what holds there is filled in below.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = curve.confidence_interval(method="log-log")
    share = np.asarray(curve.probabilities, dtype=np.float64)
    low = np.where(share == 0, 0.0, np.where(share == 1, 1.0, interval.low.probabilities))
    high = np.asarray(np.where(share == 1, 1.0, interval.high.probabilities), dtype=np.float64)
    # The upper end is unknown once all runs have met the target; it is not above what it was before.
    known = np.maximum.accumulate(np.where(np.isfinite(high), np.arange(len(high)), -1))
    high = np.where(known < 0, 1.0, high[known])
    return Survival(queries=np.asarray(curve.quantiles, dtype=np.float64), share=share, low=low, high=high)


def hit_rate_interval(met: Sequence[int | None]) -> tuple[float, float] | None:
    """The exact 95 % interval of the share of runs that meet the target (Clopper and Pearson 1934); None without runs."""
    from scipy.stats import binomtest

    if not met:
        return None
    interval = binomtest(len(met) - met.count(None), len(met)).proportion_ci(method="exact")
    return float(interval.low), float(interval.high)
