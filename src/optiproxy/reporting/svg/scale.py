"""Axes: which range to show, where the ticks lie, how a number is written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A linear axis in data units.

    Attributes:
        label: Name of what is shown.
        low: Where the axis begins.
        high: Where it ends; above ``low``.
    """

    label: str
    low: float
    high: float

    def position(self, value: float) -> float:
        """0 at the beginning of the axis, 1 at its end; values beyond are held at the nearer end."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def shows(self, value: float) -> bool:
        """Whether the value lies on the axis."""
        return self.low <= value <= self.high

    def ticks(self, about: int) -> list[float]:
        """Round values on the axis, near ``about`` of them: multiples of 1, 2 or 5 times a power of ten."""
        rough = (self.high - self.low) / about
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        digits = 1 - math.floor(math.log10(step))
        return [round(k * step, digits) for k in range(first, last + 1)]

    def labels(self, about: int) -> list[tuple[float, str]]:
        """The ticks with their texts."""
        ticks = self.ticks(about)
        step = ticks[1] - ticks[0] if len(ticks) > 1 else self.high - self.low
        return [(value, tick_text(value, step)) for value in ticks]


@dataclass(frozen=True, kw_only=True)
class LogAxis:
    """A logarithmic axis from one power of ten to another.

    Attributes:
        label: Name of what is shown.
        low: Where the axis begins; above 0.
        high: Where it ends.
    """

    label: str
    low: float
    high: float

    @classmethod
    def over(cls, label: str, values: Iterable[float]) -> LogAxis:
        """The axis that shows all positive values."""
        powers = [math.log10(value) for value in values if value > 0 and math.isfinite(value)] or [0.0]
        low, high = math.floor(min(powers)), math.ceil(max(powers))
        return cls(label=label, low=10.0**low, high=10.0 ** max(high, low + 1))

    def position(self, value: float) -> float:
        """0 at the beginning of the axis, 1 at its end; values beyond are held at the nearer end."""
        share = math.log10(max(value, self.low) / self.low) / math.log10(self.high / self.low)
        return min(share, 1.0)

    def shows(self, value: float) -> bool:
        """Whether the value lies on the axis."""
        return self.low <= value <= self.high

    def labels(self, about: int) -> list[tuple[float, str]]:
        """Powers of ten with their texts; every second, third, ... where there are more than ``about``."""
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        return [(10.0**k, f"{10.0**k:g}") for k in range(first, last + 1, math.ceil((last - first + 1) / about))]


def around(label: str, values: Iterable[float], *, margin: float = 0.06) -> Axis:
    """The axis that shows all finite values with a margin at both ends."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    room = (high - low) * margin or abs(high) * margin or 1.0
    return Axis(label=label, low=low - room, high=high + room)


def robust(label: str, values: Sequence[float], *, keep: Iterable[float] = ()) -> Axis:
    """The axis of the bulk of the values: what lies over three interquartile ranges out of the box is left beyond it.

    One untrainable network at 10 % would otherwise flatten all differences between the good ones.

    Args:
        label: Name of what is shown.
        values: What is drawn.
        keep: Values that must be on the axis, such as the best and a limit.
    """
    finite = np.array([value for value in values if math.isfinite(value)])
    if len(finite) < 4:
        return around(label, [*finite.tolist(), *keep])
    first, third = np.quantile(finite, [0.25, 0.75])
    reach = 3 * max(third - first, 1e-9 * abs(third))
    return around(label, [*finite[(finite >= first - reach) & (finite <= third + reach)].tolist(), *keep])


def counting(label: str, last: int) -> Axis:
    """The axis of queries 1 to ``last``."""
    return Axis(label=label, low=0, high=max(last, 1) + 0.5)


def number(value: float | None) -> str:
    """As people read it: thousands separated, at most five significant digits, a dash for nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.5g}"


def count(size: int) -> str:
    """A number of things, however many: in full below a billion, else its power of ten."""
    if size < 1_000_000_000:
        return f"{size:,}"
    # Spaces grow beyond what a float holds.
    digits = str(size)
    return f"{digits[0]}.{digits[1]}e{len(digits) - 1}"


def tick_text(value: float, step: float) -> str:
    """A tick's value with as many decimals as the distance between ticks needs."""
    if abs(value) >= 1_000_000 or step >= 1_000_000:
        return f"{value / 1e6:g}M"
    if step >= 1000:
        return f"{value / 1e3:g}k"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{decimals}f}" if decimals <= 5 else f"{value:g}"
