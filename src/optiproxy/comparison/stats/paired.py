"""The paired test of two algorithms on the same seeds, and its correction for many comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def differences(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(s,)``: by how much the first is better on each seed; equal infinite scores differ by 0."""
    same = first == second
    return np.where(same, 0.0, np.where(same, 0.0, first) - np.where(same, 0.0, second))


def signed_rank(difference: NDArray[np.float64]) -> float:
    """The two-sided p of Wilcoxon's signed-rank test, exact also with ties and zeros.

    Zeros are ranked and then left out (Pratt 1959); ties share their mean rank. The distribution is that of all ``2**n``
    signs, added up rank by rank, so that no table or normal approximation is needed.

    Args:
        difference: ``(s,)``; an infinite one ranks highest.
    """
    from scipy.stats import rankdata

    # Twice a rank is an integer even where ranks are shared.
    doubled = np.rint(2 * rankdata(np.abs(difference))).astype(int)
    left = doubled[difference != 0]
    observed = int(doubled[difference > 0].sum())
    chance = np.ones(1)
    for rank in left.tolist():
        wider = np.zeros(len(chance) + rank)
        wider[: len(chance)] += chance / 2
        wider[rank:] += chance / 2
        chance = wider
    return float(min(1.0, 2 * min(chance[: observed + 1].sum(), chance[observed:].sum())))


def lean(difference: NDArray[np.float64]) -> float:
    """To which side the signed ranks lean: above 0 to the first algorithm."""
    from scipy.stats import rankdata

    return float((np.sign(difference) * rankdata(np.abs(difference))).sum())


def holm(chances: Sequence[float]) -> list[float]:
    """The p of each test, corrected so that all that fall below a level hold together at this level (Holm 1979)."""
    if not chances:
        return []
    p = np.asarray(chances)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(raised, 1.0)
    return corrected.tolist()
