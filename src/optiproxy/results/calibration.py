"""How often what was measured lay within the interval that had been predicted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from optiproxy.storage.record import Record

SETTLED = 20
"""Number of the query from which on intervals are counted: before, a model has seen hardly anything."""


@dataclass(frozen=True)
class Coverage:
    """Of one metric.

    Attributes:
        intervals: How many were predicted, from query `SETTLED` on, of what was then measured.
        held: How many of these hold the measured value.
    """

    intervals: int
    held: int

    @property
    def share(self) -> float | None:
        """Of the intervals those that hold the value; None where there are none."""
        return self.held / self.intervals if self.intervals else None


def coverage(records: Sequence[Record], metric: str) -> Coverage:
    """The `Coverage` of a metric; a query that failed, or did not measure it, does not count."""
    told = [
        (*record.intervals[metric], record.metrics[metric])
        for record in records
        if record.number >= SETTLED
        and metric in record.intervals
        and math.isfinite(record.metrics.get(metric, math.nan))
    ]
    return Coverage(len(told), sum(low <= value <= high for low, high, value in told))
