"""A paired test of two algorithms: what it says, and its mathematics.

These are Wilcoxon's signed ranks, Cliff's delta, and Holm's correction for many tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


LEVEL = 0.05
"""Significance level: a difference is called one if its corrected p-value is below it."""

Side = Literal["reference", "rival", ""]
"""One of the two algorithms of a test, or neither."""


@dataclass(frozen=True, kw_only=True)
class PairedTest(ABC):
    """The reference against a rival by one measure, on the seeds that both have.

    Attributes:
        rival: Name of the other algorithm.
        measure: Name of the measure.
        pairs: Number of seeds.
        wins: Number of seeds on which the reference is better.
        ties: Number of seeds on which both are equal.
        losses: Number of seeds on which the rival is better.
        effect_size: How much better the reference is; above 0 if it is.
        p_value: Two-sided, of Wilcoxon's signed-rank test, before the correction.
        favors: The side with the larger sum of ranks, whether or not that may be chance; empty if the sums are equal.
        p_corrected: The p-value after Holm's correction for all tests of the comparison.
        winner: As ``favors``, but empty where the corrected p-value is not below `LEVEL`.
    """

    rival: str
    measure: str
    pairs: int
    wins: int
    ties: int
    losses: int
    effect_size: float | None
    p_value: float
    favors: Side
    p_corrected: float = 1.0
    winner: Side = ""

    @property
    @abstractmethod
    def where(self) -> str:
        """The task or tasks of the test, in words."""

    def corrected(self, p_value: float) -> Self:
        """The same test with the p-value that the correction for all tests gives."""
        return replace(self, p_corrected=p_value, winner=self.favors if p_value < LEVEL else "")


@dataclass(frozen=True, kw_only=True)
class TaskTest(PairedTest):
    """A paired test on one task.

    The effect size is the median difference over the seeds, in queries or in the objective's unit; None where it is not
    finite, because one of the two found nothing feasible.

    Attributes:
        task: Name of the task.
        at: Number of queries after which both are scored.
    """

    task: str
    at: int

    @property
    def where(self) -> str:
        return self.task


@dataclass(frozen=True, kw_only=True)
class SourceTest(PairedTest):
    """A paired test on all tasks of a source that both algorithms have searched, two at least.

    On each task the scores of both are ranked together, which frees them of their unit; a seed's difference is that of its
    ranks, averaged over the tasks. Nothing but the exchange of the two algorithms on a whole seed enters the test, so it holds
    however the tasks depend on each other. It speaks of these tasks and no others.

    The effect size is `cliffs_delta`, averaged over the tasks.

    Attributes:
        source: Where the values of the tasks come from.
        tasks: Names of the tasks.
    """

    source: str
    tasks: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{len(self.tasks)} tasks of {self.source} together"


def differences(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much better the first of two algorithms scores on each seed.

    Args:
        first: ``(s,)`` scores, larger = better; ``-inf`` where nothing was feasible.
        second: ``(s,)`` scores of the other algorithm on the same seeds.

    Returns:
        ``(s,)``; equal infinite scores differ by 0.
    """
    # Two runs without anything feasible both score minus infinity, and their difference would be NaN.
    same = first == second
    return np.where(same, 0.0, np.where(same, 0.0, first) - np.where(same, 0.0, second))


def median_difference(difference: NDArray[np.float64]) -> float | None:
    """The median over the seeds; None where it is not finite, because one of the two algorithms found nothing feasible."""
    # The median between two infinities of opposite sign is undefined, and numpy would warn about it.
    with np.errstate(invalid="ignore"):
        median = float(np.median(difference))
    return median if np.isfinite(median) else None


def signed_ranks(better: NDArray[np.float64]) -> dict[str, Any]:
    """The fields of a test that follow from ``(s,)``, by how much the reference is better on each seed."""
    # The side is that of the rank sum, which the p-value is about; numbers of wins and losses say nothing of their size.
    total = signed_rank_sum(better)
    return {
        "pairs": len(better),
        "wins": int((better > 0).sum()),
        "ties": int((better == 0).sum()),
        "losses": int((better < 0).sum()),
        "p_value": signed_rank_p(better),
        "favors": "reference" if total > 0 else "rival" if total < 0 else "",
    }


def signed_rank_sum(difference: NDArray[np.float64]) -> float:
    """The sum of all signed ranks: above 0 if the first algorithm is ahead, whether or not that may be chance.

    Args:
        difference: ``(s,)``, one per seed.
    """
    from scipy.stats import rankdata

    return float((np.sign(difference) * rankdata(np.abs(difference))).sum())


def signed_rank_p(difference: NDArray[np.float64]) -> float:
    """The two-sided p-value of Wilcoxon's (1945) signed-rank test, exact also with ties and zeros.

    Zeros are ranked and then left out (Pratt 1959); ties share their mean rank. `scipy.stats.wilcoxon` is exact without ties
    and zeros only; with them it takes the normal approximation, or all ``2**s`` signs one by one, which are too many from
    about 20 seeds on. Differences of queries are full of ties.

    Args:
        difference: ``(s,)``, one per seed; an infinite one has the highest rank.
    """
    from scipy.stats import rankdata

    # Twice a rank is an integer even where ranks are shared.
    doubled = np.rint(2 * rankdata(np.abs(difference))).astype(int)
    left = doubled[difference != 0]
    observed = int(doubled[difference > 0].sum())
    # Under the null hypothesis each sign is a fair coin: the distribution of the sum of positive ranks is a convolution of
    # one coin per rank.
    probability = np.ones(1)
    for rank in left.tolist():
        wider = np.zeros(len(probability) + rank)
        wider[: len(probability)] += probability / 2
        wider[rank:] += probability / 2
        probability = wider
    # Twice the smaller tail. Both tails hold the observed sum, so that twice may exceed one.
    return float(min(1.0, 2 * min(probability[: observed + 1].sum(), probability[observed:].sum())))


def rank_differences(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many more of all runs of both algorithms the first one's run passes, on each seed.

    Args:
        first: ``(s,)`` scores, larger = better.
        second: ``(s,)`` scores of the other algorithm on the same seeds.

    Returns:
        ``(s,)`` differences of ranks, which have no unit.
    """
    from scipy.stats import rankdata

    # Ranked together, as Mann and Whitney (1947) do, so that the unit of the scores cancels.
    ranks = rankdata(np.concatenate([first, second]))
    return ranks[: len(first)] - ranks[len(first) :]


def cliffs_delta(difference: NDArray[np.float64]) -> float:
    """Cliff's (1993) delta, an effect size between -1 and 1.

    Of all pairs of runs, one of each algorithm, it is the share that the first wins less the share that it loses: 1 if its
    worst run passes the other's best.

    Args:
        difference: ``(s,)``, from `rank_differences`.
    """
    # A mean rank is half of those in its own group plus the share of the others that it passes.
    return float(difference.mean()) / len(difference)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values after Holm's (1979) step-down correction: all below a level hold together at this level."""
    if not p_values:
        return []
    p = np.asarray(p_values)
    order = np.argsort(p, kind="stable")
    # The smallest is multiplied by the number of tests, the next by one less, and none falls below the one before.
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(raised, 1.0)
    return corrected.tolist()
