"""What a decision is taken among, where that has an order: integers, floats, and categories in a row.

Each is the sequence of its values, from the lowest to the highest, so that a position means the same for all decisions. A
float has as many values as five digits can write: `Float(1e-4, 1e-1, log=True)` stands for 0.0001, 0.00010001 and so on up to
0.1. No training can tell neighbours among them apart, all are short enough to read, and those that people write themselves
are among them.
"""

from __future__ import annotations

import ast
import math
import sys
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast, final, overload

from optiproxy.errors import UsageError
from optiproxy.spaces.choices import labelled, plain, same

if TYPE_CHECKING:
    import numpy as np

DIGITS = 5
"""Significant digits of a float on a logarithmic scale; on a linear one as many of its range."""

EXACT = 2**53
"""Up to here a float tells all whole numbers apart, and so do studies, which store numbers as floats."""

MOST_DIGITS = 15
"""Of a narrow range numbers need more digits, and so many are told apart by every float."""


class Scale(Sequence[Any]):
    """Values in an order, and where each lies on a scale from 0 to 1."""

    @abstractmethod
    def unit(self, position: int) -> float:
        """Return the place of a value on the scale, from 0 for the first one to 1 for the last."""

    @final
    def at(self, unit: float) -> int:
        """Return the position of the value that is nearest to a place on the scale; the inverse of `unit`.

        Equal steps have equal shares of the scale instead. Beyond the ends are the first and the last value.
        """
        if unit <= 0:
            return 0
        return len(self) - 1 if unit >= 1 else self._at(unit)

    @abstractmethod
    def position(self, value: object) -> int:
        """Return where a value stands. A float that has more digits stands where it is rounded to.

        Raises:
            ValueError: If it is none of the values.
        """

    @property
    def objects(self) -> Sequence[Any]:
        """What users' functions are given for each value: the values themselves, but for labels what they stand for."""
        return self

    @property
    @abstractmethod
    def signature(self) -> list[str]:
        """Texts that tell this from every other set of choices; studies on disk hold their digest."""

    @abstractmethod
    def _at(self, unit: float) -> int:
        """Return what `at` does for a place between the ends."""

    @abstractmethod
    def _value(self, position: int) -> Any:  # noqa: ANN401 - what the values are
        """Return the value at a position from 0 on."""

    @final
    def draw(self, rng: np.random.Generator, n: int) -> list[int]:
        """Draw ``n`` positions, uniformly on the scale."""
        return [self._share(unit) for unit in rng.random(n).tolist()]

    def _share(self, unit: float) -> int:
        """Return the position that has a place in its share, where all have one; mostly the nearest."""
        return self.at(unit)

    @overload
    def __getitem__(self, index: int) -> Any: ...  # noqa: ANN401 - anything
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return tuple(self._value(i) for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"Expected a position below {len(self)}, got {index}.")
        return self._value(index % len(self))

    def __iter__(self) -> Iterator[Any]:
        return (self._value(i) for i in range(len(self)))

    def __contains__(self, value: object) -> bool:
        try:
            self.position(value)
        except ValueError:
            return False
        return True


@final
@dataclass(frozen=True, repr=False)
class Ordered(Scale):
    """Any values in a meaningful order, such as small, medium, large; neighbours lie equally far apart.

    Args:
        values: Lowest first; of what is no text or number the labels are kept here (`optiproxy.spaces.choices`).

    Raises:
        UsageError: If there is none, or one twice.
    """

    values: tuple[Any, ...]
    _objects: tuple[Any, ...] = field(compare=False)

    def __init__(self, values: Iterable[Any]) -> None:
        labels, objects = labelled(values, "An Ordered")
        object.__setattr__(self, "values", labels)
        object.__setattr__(self, "_objects", objects)

    @property
    def objects(self) -> Sequence[Any]:
        return self._objects

    def __len__(self) -> int:
        return len(self.values)

    def _value(self, position: int) -> Any:  # noqa: ANN401 - anything
        return self.values[position]

    def unit(self, position: int) -> float:
        return position / max(len(self) - 1, 1)

    def _at(self, unit: float) -> int:
        return int(unit * len(self))

    def position(self, value: object) -> int:
        for position, known in enumerate(self.values):
            if same(known, value):
                return position
        raise ValueError(f"{value!r} is none of them")

    @property
    def signature(self) -> list[str]:
        # That of the plain list: whether its order is known makes no other architectures of it.
        return list(map(repr, self.values))

    def __repr__(self) -> str:
        return f"Ordered({list(self.values)})"


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
        step: Distance of two neighbours; None for all numbers with `DIGITS` digits.
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
        if self.low == self.high:
            return 1
        if self.step is not None:
            return int((Decimal(repr(self.high)) - Decimal(repr(self.low))) / Decimal(repr(self.step))) + 1
        first, last = self._rungs
        return last - first + 3  # both ends, whatever their digits, and all between

    def _value(self, position: int) -> float:
        if position == 0:
            return self.low
        if position == len(self) - 1:
            return self.high
        if self.step is not None:
            return float(Decimal(repr(self.low)) + position * Decimal(repr(self.step)))
        return self._rung_value(self._rungs[0] + position - 1)

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
            return self._nearest(math.exp(low + unit * (math.log(self.high) - low)))
        return self._nearest(self.low + unit * (self.high - self.low))

    def position(self, value: object) -> int:
        if not _is_finite(value):
            raise ValueError(f"{value!r} is no number")
        number = float(cast("Any", value))
        # What a database or a product of decimals has rounded at its last digit is still within.
        slack = 1e-12 * max(abs(self.low), abs(self.high))
        if not self.low - slack <= number <= self.high + slack:
            raise ValueError(f"{value!r} is outside of them")
        if self.step is None:
            return self._nearest(number)
        position = round((number - self.low) / self.step)
        if abs(self._value(min(position, len(self) - 1)) - number) > 1e-8 * max(self.step, abs(number)):
            raise ValueError(f"{value!r} is between them")
        return position

    @property
    def signature(self) -> list[str]:
        return [repr(self)]

    def _nearest(self, number: float) -> int:
        if self.low == self.high or number <= self.low:
            return 0
        if number >= self.high:
            return len(self) - 1
        first, last = self._rungs
        return min(max(self._rung(number), first - 1), last + 1) - first + 1

    # Rungs are the numbers of few digits, counted upwards through all of them.

    @cached_property
    def _rungs(self) -> tuple[int, int]:
        """First and last rung strictly between the ends; the last is one below the first where there is none."""
        first, last = self._rung(self.low), self._rung(self.high)
        first += self._rung_value(first) <= self.low
        last -= self._rung_value(last) >= self.high
        return first, max(last, first - 1)

    @cached_property
    def _digits(self) -> int:
        """Significant digits on a logarithmic scale: more than `DIGITS` where the range is a small part of its numbers."""
        return min(DIGITS + max(-math.ceil(math.log10((self.high - self.low) / self.high)), 0), MOST_DIGITS)

    @cached_property
    def _decade(self) -> int:
        """Numbers with that many digits in one power of ten."""
        return 9 * 10 ** (self._digits - 1)

    @cached_property
    def _decimals(self) -> int:
        """Digits behind the point on a linear scale: its range is written with `DIGITS` digits."""
        most = MOST_DIGITS - math.ceil(math.log10(max(abs(self.low), abs(self.high))))
        return min(DIGITS - math.ceil(math.log10(self.high - self.low)), most)

    def _rung(self, number: float) -> int:
        if self.log:
            mantissa, exponent = f"{number:.{self._digits - 1}e}".split("e")
            return int(exponent) * self._decade + int(mantissa.replace(".", "")) - 10 ** (self._digits - 1)
        return int((Decimal(repr(number)).scaleb(self._decimals)).to_integral_value())

    def _rung_value(self, rung: int) -> float:
        if self.log:
            exponent, beyond = divmod(rung, self._decade)
            return _decimal(10 ** (self._digits - 1) + beyond, exponent - self._digits + 1)
        return _decimal(rung, -self._decimals)

    def __repr__(self) -> str:
        step = "" if self.step is None else f", step={self.step!r}"
        return f"Float({self.low!r}, {self.high!r}{step}{', log=True' if self.log else ''})"


FEW = 64
"""An order of at most so many values is relaxed to a probability of each; longer ones to a point on their scale."""


def _decimal(digits: int, exponent: int) -> float:
    """Return the float that is written as these digits and this power of ten."""
    # A division of two numbers that floats hold exactly is rounded correctly; beyond, the slow way is.
    if -22 <= exponent <= 0 and abs(digits) < 2**53:
        return digits / 10**-exponent
    return float(f"{digits}e{exponent}")


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
