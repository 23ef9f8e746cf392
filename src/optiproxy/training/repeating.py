"""Measurements that differ from one to the next: repeated until their spread is small, or said to be spread."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from optiproxy.errors import UsageError
from optiproxy.task.values import WrongValueError, as_number

JudgedBy = Literal["median", "p90"]
"""The value that stands for all readings: half of them, or nine of ten, are at most so large."""

FEWEST = 9
"""Blocks that say how far they spread: their 95 % interval leaves out the largest and the smallest."""


class SpreadWarning(UserWarning):
    """A measurement is less certain than it was asked to be; the message says by how much."""


@dataclass(frozen=True, kw_only=True)
class Readings:
    """What repeated readings have come to, in their unit.

    Attributes:
        median: Median of the blocks' medians.
        p90: Nine of ten readings are at most so large; never below the median.
        iqr: Interquartile range of the readings.
        spread: Half the width of a 95 % interval of the median, relative to the median. Below `FEWEST` blocks it is the whole
            range's, and infinite for a single block.
        count: Number of readings.
        settled: Whether there were blocks enough, and the spread is within the tolerance.
    """

    median: float
    p90: float
    iqr: float
    spread: float
    count: int
    settled: bool

    def value(self, judged_by: JudgedBy) -> float:
        """The one value that counts."""
        return self.median if judged_by == "median" else self.p90


def repeated(reading: Callable[[], float], *, size: int = 1, tolerance: float, seconds: float) -> Readings:
    """Read again and again, in blocks, until the blocks agree or the time is over; at least one block is finished.

    The interval is one of the blocks' medians and not of single readings. What disturbs a machine lasts longer than a call, so
    neighbours resemble each other, and a thousand of them would promise an exactness that the next second disproves.

    Args:
        reading: Returns a finite number.
        size: Number of readings in a block, the same in each.
        tolerance: Largest spread to be content with.
        seconds: Time limit.
    """
    blocks: list[list[float]] = []
    medians: list[float] = []
    end = time.perf_counter() + seconds
    while True:
        blocks.append([reading() for _ in range(size)])
        medians.append(median(blocks[-1]))
        spread = relative_spread(medians)
        settled = len(blocks) >= FEWEST and spread <= tolerance
        if settled or time.perf_counter() >= end:
            break
    lower, upper, p90 = np.quantile(blocks, [0.25, 0.75, 0.9]).tolist()
    return Readings(
        median=median(medians),
        p90=p90,
        iqr=upper - lower,
        spread=spread,
        count=len(blocks) * size,
        settled=settled,
    )


def relative_spread(values: Sequence[float]) -> float:
    """Half the width of a 95 % interval of the median, relative to the median; infinite for a single value.

    The interval lies between order statistics, so it supposes no distribution (David and Nagaraja 2003, section 7.1). Below
    6 values there is none, and the whole range takes its place.
    """
    n = len(values)
    if n < 2:
        return math.inf
    ordered = sorted(values)
    # Normal approximation of the binomial rank, on the safe side.
    left_out = max(0, math.floor((n - 1 - 1.96 * math.sqrt(n)) / 2))
    half = (ordered[n - 1 - left_out] - ordered[left_out]) / 2
    return half / abs(median(ordered)) if half and median(ordered) else math.inf if half else 0.0


@dataclass(frozen=True, kw_only=True)
class Precision:
    """How exactly something is to be measured, and which value counts.

    Attributes:
        tolerance: Largest half-width of a 95 % interval of the median, relative to it, to be content with.
        seconds: Time limit of one measurement, warming up aside; the block that is being read is finished.
        judged_by: The value that is recorded, and that limits and objectives judge.

    Raises:
        UsageError: If a number is not positive, or there is no such value.
    """

    tolerance: float = 0.05
    seconds: float = 2.0
    judged_by: JudgedBy = "median"
    _told: set[str] = field(default_factory=set[str], init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Asked in this way, NaN is refused, too.
        if not self.tolerance > 0:
            raise UsageError(f"Expected a tolerance of more than 0, got {self.tolerance:g}. Give 0.05 for 5 %.")
        if not self.seconds > 0:
            raise UsageError(f"Expected more than 0 seconds for a measurement, got {self.seconds:g}.")
        if self.judged_by not in get_args(JudgedBy):
            raise UsageError(f"Expected judged_by='median' or judged_by='p90', got {self.judged_by!r}.")

    def judged(self, readings: Readings, name: str) -> float:
        """The value that counts.

        Warns:
            SpreadWarning: Once for each name, if the readings are spread.
        """
        value = readings.value(self.judged_by)
        if not readings.settled and name not in self._told:
            self._told.add(name)
            seen = f"{name} = {value:.3g} is from {readings.count:,} readings in {self.seconds:g} s"
            told = (
                f"{seen}, which spread by ±{_percent(readings.spread)} % and not ±{100 * self.tolerance:g} %. Run less beside "
                "it, or allow more seconds or a larger tolerance."
                if self.tolerance < readings.spread < math.inf
                else f"{seen}, too few to tell how far they spread. Allow more seconds."
            )
            warnings.warn(f"{told} This is said once.", SpreadWarning, stacklevel=3)
        return value


@dataclass(frozen=True)
class Repeated(Precision):
    """A free metric of your own, read again and again until its spread is small: energy, a board's answer, a time.

    Example::

        energy = optiproxy.Repeated(joules, seconds=5, judged_by="p90")
        optiproxy.search(space, train, budget=40, free={"energy_j": energy}, limits=["energy_j<=0.2"])

    Attributes:
        measure: Takes what the space builds and returns one reading; warming up is its own affair.
        tolerance: As `Precision`.
        seconds: As `Precision`.
        judged_by: As `Precision`.

    Raises:
        UsageError: As `Precision`.
    """

    quiet: ClassVar[bool] = True

    measure: Callable[[Any], float]

    def __call__(self, built: object) -> float:
        """The value that counts.

        Raises:
            WrongValueError: If the measure returns no finite number.

        Warns:
            SpreadWarning: Once, if the readings are spread.
        """
        return self.judged(self.readings(built), getattr(self.measure, "__name__", type(self.measure).__name__))

    def readings(self, built: object) -> Readings:
        """All that is known after the repetition.

        Raises:
            WrongValueError: If the measure returns no finite number.
        """
        return repeated(lambda: self._reading(built), tolerance=self.tolerance, seconds=self.seconds)

    def _reading(self, built: object) -> float:
        value = as_number("a reading", self.measure(built))
        if not math.isfinite(value):
            raise WrongValueError(f"Expected a finite number for a reading, got {value}.")
        return value


def _percent(share: float) -> str:
    """Two digits of a share, and all of those before the point."""
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"
