"""How good the searches of an algorithm are after 10, 25, 50, ... queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.comparison.runs.grid import Contest

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARKS = (10, 25, 50, 100, 200)
"""Queries after which searches are looked at."""

RESAMPLES, SEED = 2000, 0


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Of one figure over the seeds. What a seed without anything feasible makes unknown is None.

    Attributes:
        mean: None unless every seed has found something feasible.
        low: Lower end of the 95 % bootstrap interval of the mean (bias-corrected and accelerated, Efron 1987).
        high: Its upper end.
        first: Lower quartile: the value of a seed, as are the two below. One without anything feasible is the worst.
        median: The middle.
        third: Upper quartile.
    """

    mean: float | None
    low: float | None
    high: float | None
    first: float | None
    median: float | None
    third: float | None


@dataclass(frozen=True, kw_only=True)
class Mark:
    """After a number of queries.

    Attributes:
        found: Seeds that have found something feasible.
        best: Best so far, in the metric's unit.
        regret: Distance from the optimum; None where it is unknown.
    """

    found: int
    best: Spread
    regret: Spread | None


def marks(curves: NDArray[np.float64], contest: Contest) -> dict[int, Mark]:
    """Look at the searches of one algorithm.

    Args:
        curves: ``(s, q)`` best so far after each query, larger = better, ``-inf`` until something is feasible.
        contest: Says the unit and the optimum.

    Returns:
        Queries -> what is there; the last query is always among them, and the only one where promotion comes last.
    """
    last = curves.shape[1]
    at = [] if contest.protocol.promote else [mark for mark in MARKS if mark < last]
    at.append(last)
    gains = curves[:, [mark - 1 for mark in at]].T
    means = [float(row.mean()) if np.isfinite(row).all() else None for row in gains]
    quartiles = np.quantile(gains, [0.25, 0.5, 0.75], axis=1, method="inverted_cdf").T.tolist()
    sign = 1.0 if contest.aim.direction == "max" else -1.0
    told: dict[int, Mark] = {}
    for mark, row, mean, interval, three in zip(at, gains, means, intervals(gains), quartiles, strict=True):
        figures = [mean, *interval, *(value if np.isfinite(value) else None for value in three)]
        optimum = contest.optimum
        told[mark] = Mark(
            found=int(np.isfinite(row).sum()),
            best=_spread(figures, 0.0, sign),
            regret=None if optimum is None else _spread(figures, sign * optimum, -1.0),
        )
    return told


def intervals(rows: NDArray[np.float64]) -> list[tuple[float | None, float | None]]:
    """The 95 % bootstrap interval of each row's mean.

    Args:
        rows: ``(r, s)``. A row that is not finite has no interval, nor has a single seed; equal values have one of no
            width.
    """
    from scipy.stats import bootstrap

    found: list[tuple[float | None, float | None]] = [(None, None)] * len(rows)
    if rows.shape[1] < 2:
        return found
    constant = (rows == rows[:, :1]).all(axis=1)
    varied = [i for i, row in enumerate(rows) if np.isfinite(row).all() and not constant[i]]
    for i in np.flatnonzero(constant & np.isfinite(rows[:, 0])):
        found[i] = (float(rows[i, 0]), float(rows[i, 0]))
    if varied:
        random = np.random.default_rng(SEED)
        made = bootstrap((rows[varied],), np.mean, axis=-1, n_resamples=RESAMPLES, rng=random).confidence_interval
        for i, low, high in zip(varied, made.low.tolist(), made.high.tolist(), strict=True):
            found[i] = (low, high)
    return found


def _spread(figures: list[float | None], origin: float, sign: float) -> Spread:
    """``(figure - origin)`` in the wanted direction; a change of direction turns the order of the bounds round."""
    mean, low, high, first, median, third = (None if x is None else sign * (x - origin) + 0.0 for x in figures)
    if sign < 0:
        low, high, first, third = high, low, third, first
    return Spread(mean=mean, low=low, high=high, first=first, median=median, third=third)
