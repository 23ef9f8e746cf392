"""The learning curves of one search as data."""

from __future__ import annotations

from optiproxy.reporting.axes import around, finite, robust
from optiproxy.reporting.figures import Figure, Series
from optiproxy.reporting.search.figures import FAILED, FEASIBLE, FRONT, INFEASIBLE
from optiproxy.reporting.words import number
from optiproxy.results.result import SearchResult
from optiproxy.storage.record import Record


def learning_curves(result: SearchResult) -> Figure | None:
    """What each training has reported at its steps; the best on top. None where no training has reported two values."""
    front = result.front
    known = [record for record in result.records if len(record.curve) > 1]
    if not known:
        return None
    # Those that matter most are drawn last.
    order = (FAILED, INFEASIBLE, FEASIBLE, FRONT)
    series = [_curve(record, FRONT if record in front else result.state(record)) for record in known]
    series.sort(key=lambda one: order.index(one.name))
    values = [value for one in series for value in one.y if value is not None]
    best = [value for one in series for value in one.y if value is not None and one.name == FRONT]
    return Figure(
        name="learning-curves",
        title="learning curves",
        x=around("step", [step for one in series for step in one.x], margin=0.02),
        # The start of a curve is often far from where it ends, and it is the end that matters.
        y=robust("reported value", values, keep=best[-1:]),
        series=tuple(series),
        caption=f"What {len(known)} of {len(result.records)} trainings reported while they ran; the best in blue.",
    )


def _curve(record: Record, name: str) -> Series:
    last = list(record.curve.values())[-1]
    return Series(
        name=name,
        x=tuple(float(step) for step in record.curve),
        y=finite(record.curve.values()),
        shape="lines",
        notes=(f"#{record.number}: {number(last)} at step {list(record.curve)[-1]}",),
    )
