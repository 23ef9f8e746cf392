"""Ranges of numbers as scales: whole numbers, and all others."""

from __future__ import annotations

import ast
import math
import sys
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, cast, final

from optiproxy.errors import UsageError
from optiproxy.spaces.choices import plain
from optiproxy.spaces.digits import FewDigits
from optiproxy.spaces.scales import FEW, Scale

EXACT = 2**53
"""Up to here a float tells all whole numbers apart, and so do studies, which store numbers as floats."""


@final
@dataclass(frozen=True, repr=False)
class Int(Scale):
    """Whole numbers from low to high, both included.

    Args:
        low: The least one.
        high: The greatest one.
        step: Distance of two neighbours; what is left above the last step is cut off.
        log: Whether orders of magnitude count, as for widths and batch sizes.

    Raises:
        UsageError: If a bound is no whole number or too large, the range is empty, the step is not positive or does not fit
            in, or a logarithmic scale begins below 1 or has a step.
    """

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            number = plain(getattr(self, name))
            if not _is_whole(number):
                raise UsageError(f"Expected a whole number as {name} of an Int, got {_shown(number)}.")
            object.__setattr__(self, name, int(number))
        if not -EXACT <= self.low <= self.high <= EXACT:
            raise UsageError(
                f"Expected low <= high, and both within 2**53 from 0, got {_shown(self.low)} and {_shown(self.high)}."
            )
        # Of a single number the step does not matter.
        if self.step < 1 or 0 < self.high - self.low < self.step:
            raise UsageError(
                f"Expected a step of 1 or more that fits between {self.low} and {self.high}, got {self.step}."
            )
        if self.log and (self.low < 1 or self.step != 1):
            raise UsageError(
                f"A logarithmic scale begins at 1 or above and has no step, got low {self.low} and step {self.step}."
            )
        object.__setattr__(self, "high", self.low + (self.high - self.low) // self.step * self.step)

    @property
    def numbers(self) -> range:
        """All of them."""
        return range(self.low, self.high + 1, self.step)

    def __len__(self) -> int:
        return (self.high - self.low) // self.step + 1

    def _value(self, position: int) -> int:
        return self.low + position * self.step

    def unit(self, position: int) -> float:
        if len(self) == 1:
            return 0.0
        if self.log:
            return math.log(self._value(position) / self.low) / math.log(self.high / self.low)
        return position / (len(self) - 1)

    def _at(self, unit: float) -> int:
        if not self.log:
            return int(unit * len(self))
        return self._nearest(math.log(self.low) + unit * math.log(self.high / self.low))

    def _share(self, unit: float) -> int:
        if not self.log:
            return self.at(unit)
        # Half a step more on both sides, so that the first and the last number have as much of the scale as others.
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        return self._nearest(low + unit * (high - low))

    def _nearest(self, logarithm: float) -> int:
        return min(max(round(math.exp(logarithm)), self.low), self.high) - self.low

    def position(self, value: object) -> int:
        if not _is_whole(value):
            raise ValueError(f"{value!r} is no whole number")
        position, beside = divmod(int(cast("Any", value)) - self.low, self.step)
        if beside or not 0 <= position < len(self):
            raise ValueError(f"{value!r} is none of them")
        return position

    @property
    def signature(self) -> list[str]:
        # What few integers are called on disk since they were a list of choices.
        return [repr(number) for number in self.numbers] if len(self) <= FEW else [repr(self)]

    def __repr__(self) -> str:
        return f"Int({self.low}, {self.high}{f', step={self.step}' if self.step > 1 else ''}{', log=True' if self.log else ''})"


@final
@dataclass(frozen=True, repr=False)
class Float(Scale):
    """Numbers from low to high, both included.

    Args:
        low: The least one.
        high: The greatest one.
        step: Distance of two neighbours; None for all numbers with few digits (`optiproxy.spaces.digits`).
        log: Whether orders of magnitude count, as for learning rates.

    Raises:
        UsageError: If a bound is not finite, the range is empty, the step is not positive or does not fit in, or a
            logarithmic scale begins at 0 or below or has a step.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            number = plain(getattr(self, name))
            if name == "step" and number is None:
                continue
            if not _is_finite(number):
                raise UsageError(f"Expected a finite number as {name} of a Float, got {_shown(number)}.")
            number = float(number) + 0.0  # of 0 there is one
            if 0 < abs(number) < sys.float_info.min:
                raise UsageError(f"Expected 0 or at least 2.3e-308 as {name} of a Float, got {number!r}.")
            object.__setattr__(self, name, number)
        if not 0 <= self.high - self.low < math.inf:
            raise UsageError(
                f"Expected low <= high, and a distance that a float can hold, got {self.low:g} and {self.high:g}."
            )
        if self.log and (self.low <= 0 or self.step is not None):
            raise UsageError(
                f"A logarithmic scale begins above 0 and has no step, got low {self.low:g}"
                f"{'' if self.step is None else f' and step {self.step:g}'}."
            )
        if self.step is not None:
            low, high, step = (Decimal(repr(number)) for number in (self.low, self.high, self.step))
            if step <= 0 or 0 < high - low < step or (high - low) / step > EXACT:
                raise UsageError(
                    f"Expected a step above 0 that fits between {self.low:g} and {self.high:g}, at most 2**53 times, got "
                    f"{self.step:g}."
                )
            object.__setattr__(self, "high", float(low + (high - low) // step * step))

    def __len__(self) -> int:
        return self._length

    @cached_property
    def _length(self) -> int:
        if self.step is None:
            return len(self._numbers)
        return int((Decimal(repr(self.high)) - Decimal(repr(self.low))) / Decimal(repr(self.step))) + 1

    @cached_property
    def _numbers(self) -> FewDigits:
        return FewDigits(self.low, self.high, log=self.log)

    def _value(self, position: int) -> float:
        if self.step is None:
            return self._numbers.value(position)
        return float(Decimal(repr(self.low)) + position * Decimal(repr(self.step)))

    def unit(self, position: int) -> float:
        if self.low == self.high:
            return 0.0
        value = self._value(position)
        if self.log:
            # Differences of logarithms, because high / low may be beyond what a float holds.
            low = math.log(self.low)
            return (math.log(value) - low) / (math.log(self.high) - low)
        return (value - self.low) / (self.high - self.low)

    def _at(self, unit: float) -> int:
        if self.step is not None:
            return int(unit * len(self))
        if self.log:
            low = math.log(self.low)
            return self._numbers.nearest(math.exp(low + unit * (math.log(self.high) - low)))
        return self._numbers.nearest(self.low + unit * (self.high - self.low))

    def position(self, value: object) -> int:
        if not _is_finite(value):
            raise ValueError(f"{value!r} is no number")
        number = float(cast("Any", value))
        # What a database or a product of decimals has rounded at its last digit is still within.
        slack = 1e-12 * max(abs(self.low), abs(self.high))
        if not self.low - slack <= number <= self.high + slack:
            raise ValueError(f"{value!r} is outside of them")
        if self.step is None:
            return self._numbers.nearest(number)
        position = round((number - self.low) / self.step)
        if abs(self._value(min(position, len(self) - 1)) - number) > 1e-8 * max(self.step, abs(number)):
            raise ValueError(f"{value!r} is between them")
        return position

    @property
    def signature(self) -> list[str]:
        return [repr(self)]

    def __repr__(self) -> str:
        step = "" if self.step is None else f", step={self.step!r}"
        return f"Float({self.low!r}, {self.high!r}{step}{', log=True' if self.log else ''})"


def scale_from(text: str) -> Scale:
    """Return the `Int` or `Float` that prints so; the inverse of `repr`, for studies that are read without their space.

    Raises:
        ValueError: If none does.
    """
    call = ast.parse(text, mode="eval").body
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("Int", "Float")):
        raise ValueError(f"{text!r} is no range")
    # Literals alone: the text may come from anybody's study.
    numbers: list[Any] = [ast.literal_eval(argument) for argument in call.args]
    options: dict[str, Any] = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    return (Int if call.func.id == "Int" else Float)(*numbers, **options)


def _is_whole(number: Any) -> bool:  # noqa: ANN401 - whatever a user gives
    try:
        return not isinstance(number, str | bytes | bool) and bool(number == int(number))
    except (TypeError, ValueError, OverflowError):
        return False


def _is_finite(number: Any) -> bool:  # noqa: ANN401 - the same
    try:
        return not isinstance(number, str | bytes | bool) and math.isfinite(number)
    except (TypeError, ValueError, OverflowError):
        return False


def _shown(number: object) -> str:
    shown = repr(number)
    return shown if len(shown) <= 40 else f"{shown[:20]}…"
