from __future__ import annotations

import math

from optiproxy.results.calibration import SETTLED, Coverage, coverage
from optiproxy.storage.record import Record


def record(number, value, bounds=(1.0, 2.0)):
    return Record(
        number=number,
        architecture=(0,),
        state="complete",
        metrics={} if value is None else {"loss": value},
        intervals={} if bounds is None else {"loss": bounds},
    )


def test_intervals_hold_their_bounds_and_what_was_not_measured_does_not_count():
    values = [1.0, 2.0, 1.5, 0.999, 2.001, None, math.nan]
    records = [record(SETTLED + i, value) for i, value in enumerate(values)]
    assert coverage(records, "loss") == Coverage(intervals=5, held=3)
    assert coverage(records, "loss").share == 0.6


def test_what_came_early_or_was_not_predicted_does_not_count():
    records = [record(SETTLED - 1, 1.5), record(SETTLED, 1.5), record(SETTLED + 1, 1.5, None)]
    assert coverage(records, "loss") == Coverage(intervals=1, held=1)
    assert coverage(records, "accuracy") == Coverage(intervals=0, held=0)
    assert coverage(records, "accuracy").share is None
