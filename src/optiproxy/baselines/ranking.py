"""How good each trial is under the goal, as one number: what the baselines compare and learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optiproxy.metrics import Goal, Metrics

Array = NDArray[np.float64]


def excess(goal: Goal, metrics: Metrics) -> float:
    """How far the limits are broken in all, each relative to its bound so that units do not matter; a failure last."""
    if any(gain == float("-inf") for gain in goal.gains(metrics)):
        return float("inf")
    return sum(max(0.0, limit.violation(metrics)) / (abs(limit.bound) or 1.0) for limit in goal.limits)


def utilities(goal: Goal, metrics: Sequence[Metrics], preference: Array) -> Array:
    """``(n,)`` one number per trial, larger = better; with one objective, and no limit broken, linear in it.

    Most of the published baselines know one objective and no limit. On equal terms, all of them see the same utility:
    several objectives are joined by the augmented Chebyshev function (ParEGO, Knowles 2006), after each was scaled to
    [0, 1] over the feasible trials; infeasible trials rank below all feasible ones, by how far they break the limits
    (Deb's rules, 2000), within a band of width 1; a failed training is at its bottom.

    Args:
        goal: Objectives and limits.
        metrics: Of the finished trials.
        preference: One weight per objective, summing to 1.
    """
    feasible = np.array([goal.feasible(m) for m in metrics], dtype=bool)
    found = np.zeros(len(metrics))
    if feasible.any():
        gains = np.array([goal.gains(m) for m, kept in zip(metrics, feasible, strict=True) if kept])
        low, span = gains.min(0), np.ptp(gains, axis=0)
        scaled = (gains - low) / np.where(span > 0, span, 1.0)
        found[feasible] = (preference * (scaled - 1)).min(1) + 0.05 * (preference * scaled).sum(1)
    floor = found[feasible].min(initial=np.inf) if feasible.any() else 0.0
    broken = np.array([excess(goal, m) for m in metrics])
    found[~feasible] = floor - (1 - 1 / (1 + broken[~feasible]))
    return found


def standardized(values: Array) -> Array:
    """With mean 0 and standard deviation 1; zeros where all are equal."""
    if np.ptp(values) == 0:  # the standard deviation may still be a rounding error
        return np.zeros_like(values)
    return (values - values.mean()) / values.std()
