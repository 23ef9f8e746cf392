"""What a paired test says of two algorithms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from optiproxy.comparison.stats.paired import lean, signed_rank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.05
"""Of the corrected p below which a difference is called one."""


@dataclass(frozen=True, kw_only=True)
class Verdict(ABC):
    """The reference against a rival by a measure, on the seeds that both have.

    Attributes:
        rival: Name of the other algorithm.
        measure: Name of the measure.
        words: The same on the page.
        pairs: Seeds.
        wins: Seeds on which the reference is better.
        ties: On which both are equal.
        losses: On which the rival is better.
        advantage: By how much the reference is better, larger = better.
        p: Two-sided, of Wilcoxon's signed-rank test.
        leaning: ``reference`` or ``rival``, whether or not it could be chance; empty where both sides weigh the same.
        p_corrected: By Holm's method, for all tests of the comparison.
        ahead: As ``leaning``, but empty where the corrected p does not tell the two apart.
    """

    rival: str
    measure: str
    words: str
    pairs: int
    wins: int
    ties: int
    losses: int
    advantage: float | None
    p: float
    leaning: str
    p_corrected: float = 1.0
    ahead: str = ""

    @property
    @abstractmethod
    def where(self) -> str:
        """On what, in words."""

    def corrected(self, p: float) -> Self:
        """The same with the p that the correction for all tests gives."""
        return replace(self, p_corrected=p, ahead=self.leaning if p < LEVEL else "")


def weigh(better: NDArray[np.float64]) -> dict[str, Any]:
    """The fields of a verdict that follow from ``(s,)``, by how much the reference is better on each seed."""
    weight = lean(better)
    return {
        "pairs": len(better),
        "wins": int((better > 0).sum()),
        "ties": int((better == 0).sum()),
        "losses": int((better < 0).sum()),
        "p": signed_rank(better),
        "leaning": "reference" if weight > 0 else "rival" if weight < 0 else "",
    }
