"""The numbers that people would write of a range: those of few digits.

A float has as many values as five digits can write: from 1e-4 to 1e-1 on a logarithmic scale these are 0.0001, 0.00010001 and
so on up to 0.1. No training can tell neighbours among them apart, all are short enough to read, and those that people write
themselves are among them.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import final

DIGITS = 5
"""Significant digits on a logarithmic scale; on a linear one as many of the range."""

MOST_DIGITS = 15
"""Of a narrow range numbers need more digits, and so many are told apart by every float."""


@final
class FewDigits:
    """The ends of a range, whatever their digits, and all numbers of few digits between, counted upwards from 0.

    Args:
        low: The first of them.
        high: The last one; it may be the same.
        log: Whether digits are significant ones, of a range above 0. Otherwise they are those behind the point.
    """

    def __init__(self, low: float, high: float, *, log: bool) -> None:
        self.low, self.high, self.log = low, high, log
        if low == high:
            self._length = 1
            return
        width = high - low
        if log:
            # More where the range is a small part of its numbers.
            self._digits = min(DIGITS + max(-math.ceil(math.log10(width / high)), 0), MOST_DIGITS)
            self._smallest = 10 ** (self._digits - 1)
        else:
            most = MOST_DIGITS - math.ceil(math.log10(max(abs(low), abs(high))))
            self._decimals = min(DIGITS - math.ceil(math.log10(width)), most)
        # Rungs are the numbers of few digits, whether in the range or not. None of them may lie between the ends.
        first, last = self._rung(low), self._rung(high)
        self._first = first + (self._on(first) <= low)
        self._length = max(last - (self._on(last) >= high) - self._first + 1, 0) + 2

    def __len__(self) -> int:
        return self._length

    def value(self, position: int) -> float:
        """Return the number at a position."""
        if position == 0:
            return self.low
        return self.high if position == self._length - 1 else self._on(self._first + position - 1)

    def nearest(self, number: float) -> int:
        """Return the position of the number that another one is rounded to."""
        if self.low == self.high or number <= self.low:
            return 0
        if number >= self.high:
            return self._length - 1
        return min(max(self._rung(number) - self._first + 1, 0), self._length - 1)

    def _rung(self, number: float) -> int:
        """Return which one a number is rounded to."""
        if self.log:
            mantissa, exponent = f"{number:.{self._digits - 1}e}".split("e")
            return int(exponent) * 9 * self._smallest + int(mantissa.replace(".", "")) - self._smallest
        return int((Decimal(repr(number)).scaleb(self._decimals)).to_integral_value())

    def _on(self, rung: int) -> float:
        """Return the number on a rung."""
        if self.log:
            exponent, beyond = divmod(rung, 9 * self._smallest)  # so many in one power of ten
            return _decimal(self._smallest + beyond, exponent - self._digits + 1)
        return _decimal(rung, -self._decimals)


def _decimal(digits: int, exponent: int) -> float:
    """Return the float that is written as these digits and this power of ten."""
    # A division of two numbers that floats hold exactly is rounded correctly; beyond, the slow way is.
    if -22 <= exponent <= 0 and abs(digits) < 2**53:
        return digits / 10**-exponent
    return float(f"{digits}e{exponent}")
