"""A share of many, estimated from some of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z = 1.96
"""95 % of a normal distribution lie within so many standard deviations."""


@dataclass(frozen=True)
class Share:
    """So many hits of so many draws.

    Attributes:
        hits: At most ``of``.
        of: Draws, at least one.
        exact: Whether the draws were all there is.
    """

    hits: int
    of: int
    exact: bool = False

    @property
    def value(self) -> float:
        """Hits among the draws, in [0, 1]."""
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share of all lies with 95 % confidence (Wilson 1927); it is right at 0 and 1, too."""
        if self.exact:
            return self.value, self.value
        p, n = self.value, self.of
        center = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        # Rounding must not put the share itself outside.
        return max(0.0, min(p, center - half)), min(1.0, max(p, center + half))
