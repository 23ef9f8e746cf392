"""Which range of an axis shows what matters, and what of the values can be drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from optiproxy.reporting.figures import Axis, Values


def finite(values: Iterable[float]) -> Values:
    """The values, with None for those that are not finite."""
    return tuple(value if math.isfinite(value) else None for value in values)


def around(title: str, values: Iterable[float | None], *, margin: float = 0.06, unit: str = "") -> Axis:
    """The axis that shows all finite values with a margin at both ends, a share of their range."""
    shown = [value for value in values if value is not None and math.isfinite(value)]
    low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
    # All values equal: some room around the one there is, or around nothing at all.
    room = (high - low) * margin or abs(high) * margin or 1.0
    # Nothing lies on the edge, where half of its marker would be cut off.
    return Axis(title=title, low=low - room, high=high + room, unit=unit)


def robust(title: str, values: Sequence[float], *, keep: Iterable[float] = ()) -> Axis:
    """The axis of the bulk of the values: what is further than three interquartile ranges from the box is left beyond it.

    One untrainable network at 10 % would otherwise flatten all differences between the good ones.

    Args:
        title: What is shown.
        values: What is drawn.
        keep: Values that must be on the axis, such as the best and a limit.
    """
    shown = np.array([value for value in values if math.isfinite(value)])
    # Quartiles of so few values would be the values themselves.
    if len(shown) < 4:
        return around(title, [*shown.tolist(), *keep])
    # The outer fences of a box plot (Tukey 1977), so that only far outliers are left out.
    first, third = np.quantile(shown, [0.25, 0.75])
    # Where half of the values are equal, the range between the quartiles is 0 and would cut off all others.
    reach = 3 * max(third - first, 1e-9 * abs(third))
    return around(title, [*shown[(shown >= first - reach) & (shown <= third + reach)].tolist(), *keep])


def logarithmic(title: str, values: Iterable[float], *, unit: str = "") -> Axis:
    """The logarithmic axis that shows all positive values, from one power of ten to another."""
    powers = [math.log10(value) for value in values if value > 0 and math.isfinite(value)] or [0.0]
    # Whole powers of ten at both ends, a decade apart at least, so that there are two ticks.
    low, high = math.floor(min(powers)), math.ceil(max(powers))
    return Axis(title=title, low=10.0**low, high=10.0 ** max(high, low + 1), unit=unit, scale="log")


def counting(title: str, last: int) -> Axis:
    """The axis of queries 1 to ``last``."""
    # From 0, where nothing is known yet; half a query of room, so that the last marker is not cut in two.
    return Axis(title=title, low=0, high=max(last, 1) + 0.5)
