"""The drawings of a comparison: how good after how many queries, and how many seeds met the optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from optiproxy.comparing.folder import Comparison
from optiproxy.comparing.statistics import hit_curve, quartiles
from optiproxy.reporting.chart import Chart, Ink, Point
from optiproxy.reporting.palette import series
from optiproxy.reporting.scale import Axis, around, counting
from optiproxy.reporting.svg import element, figure

if TYPE_CHECKING:
    import numpy as np

SETTLED = 0.08
"""The axis starts where the curves are after this share of the budget: the first few random queries are off it."""


def best_curves(comparison: Comparison, task: str) -> Markup:
    """Median best so far over the seeds, with the interquartile band, for each algorithm."""
    grid = comparison.grid
    contest = grid.contests[task]
    queries = grid.queries(task)
    bands = {name: quartiles(comparison.of(task, name), contest.aim, budget=queries) for name in grid.algorithms}
    optimum = [] if contest.optimum is None else [contest.optimum]
    settled = [value for band in bands.values() for value in band[:, int(queries * SETTLED) :].ravel().tolist()]
    y = around(f"best {contest.aim.metric} so far", [*settled, *optimum], margin=0.05)
    chart = Chart(
        counting("queries", queries), y, label=f"Best {contest.aim.metric} so far on {task}", width=880, height=380
    )
    for name, ink in inks(comparison).items():
        low, _, high = (_staircase(row) for row in bands[name])
        chart.band(low, high, ink)
    for name, ink in inks(comparison).items():
        chart.line(_staircase(bands[name][1]), ink, name=name)
    for value in optimum:
        chart.level(value, "optimum")
    return chart.draw()


def hit_curves(comparison: Comparison, task: str) -> Markup | None:
    """Share of the seeds that have met the optimum; None where it is unknown."""
    grid = comparison.grid
    contest = grid.contests[task]
    if contest.optimum is None:
        return None
    queries = grid.queries(task)
    y = Axis(label="share of seeds that met the optimum (%)", low=0, high=102)
    chart = Chart(counting("queries", queries), y, label=f"Seeds that met the optimum on {task}", width=880, height=280)
    for name, ink in inks(comparison).items():
        shares = hit_curve(comparison.of(task, name), contest.aim, contest.optimum, budget=queries)
        chart.line(_staircase(100 * shares), ink, name=name)
    return chart.draw()


def inks(comparison: Comparison) -> dict[str, Ink]:
    """One ink per algorithm, the same on the whole page."""
    return {name: series(i) for i, name in enumerate(comparison.grid.algorithms)}


def sample(ink: Ink) -> Markup:
    """A short line for the legend."""
    line = element("line", x1=0, x2=26, y1=5, y2=5, stroke=ink.color, stroke_width=2.4, stroke_dasharray=ink.dash)
    return figure(26, 10, line, label="")


def _staircase(values: np.ndarray) -> list[Point]:
    """From query 1 on; each value holds until the next query."""
    points: list[Point] = []
    for query, value in enumerate(values.tolist(), start=1):
        if points:
            points.append((query, points[-1][1]))
        points.append((query, value))
    return points
