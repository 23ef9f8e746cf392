"""Queries to the optimum as a right-censored time: a run that has not met the optimum is censored, not a number."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
