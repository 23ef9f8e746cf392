"""The drawings of a comparison: how good after how many queries, who has met the optimum when, what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from markupsafe import Markup

from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.ranks import Ranking
from optiproxy.comparison.stats.statistics import quartiles, queries_to
from optiproxy.comparison.stats.survival import survival
from optiproxy.reporting.comparison.cast import Role
from optiproxy.reporting.svg.chart import Chart, Ink, Point
from optiproxy.reporting.svg.palette import QUIET
from optiproxy.reporting.svg.scale import Axis, LogAxis, around, counting

if TYPE_CHECKING:
    import numpy as np

Roles = dict[str, Role]

OTHERS = Ink("#bcc4cc")
"""Of all that do not stand out, in the legend of a drawing."""

SETTLED = 0.08
"""The axis starts where the curves are after this share of the budget: the first few random queries are off it."""


def best_curves(comparison: Comparison, task: str, roles: Roles) -> Markup:
    """Median best so far over the seeds, with the interquartile band, for each algorithm."""
    contest = comparison.contests[task]
    bands = {
        name: quartiles(runs.outcomes, contest.aim, budget=runs.queries)
        for name in comparison.on(task)
        for runs in [comparison.runs(task, name)]
    }
    longest = max(band.shape[1] for band in bands.values())
    optimum = [] if contest.optimum is None else [contest.optimum]
    settled = [
        value
        for name, band in bands.items()
        for value in (band if roles[name].lit else band[1:2])[:, int(longest * SETTLED) :].ravel().tolist()
    ]
    y = around(f"best {contest.aim.metric} so far", [*settled, *optimum], margin=0.05)
    chart = Chart(
        counting("queries", longest), y, label=f"Best {contest.aim.metric} so far on {task}", width=880, height=380
    )
    for role in _behind_first(roles, bands):
        low, _, high = (_staircase(row) for row in bands[role.name])
        chart.band(low, high, role.ink, css=role.css)
    for role in _behind_first(roles, bands):
        chart.line(_staircase(bands[role.name][1]), role.ink, name=role.name, css=role.css)
    for value in optimum:
        chart.level(value, "optimum")
    return chart.draw()


def survival_curves(comparison: Comparison, task: str, roles: Roles) -> Markup | None:
    """Share of the seeds that have not met the optimum yet, with 95 % bands; None where it is unknown."""
    contest = comparison.contests[task]
    if contest.optimum is None:
        return None
    names = comparison.on(task)
    longest = max(comparison.runs(task, name).queries for name in names)
    y = Axis(label="share of searches still without the optimum (%)", low=0, high=102)
    chart = Chart(
        counting("queries", longest), y, label=f"Searches still without the optimum on {task}", width=880, height=300
    )
    curves: dict[str, tuple[list[Point], list[Point], list[Point]]] = {}
    for name in names:
        runs = comparison.runs(task, name)
        met = [queries_to(outcome, contest.aim, contest.optimum) for outcome in runs.outcomes]
        found = survival(met, last=runs.queries)
        low, share, high = (
            _corners(found.queries.tolist(), (100 * curve).tolist(), last=runs.queries)
            for curve in (found.low, found.share, found.high)
        )
        curves[name] = low, share, high
    for role in _behind_first(roles, curves):
        low, _, high = curves[role.name]
        chart.band(low, high, role.ink, css=role.css)
    for role in _behind_first(roles, curves):
        chart.line(curves[role.name][1], role.ink, name=role.name, css=role.css)
    return chart.draw()


def overhead_against_quality(comparison: Comparison, ranking: Ranking, roles: Roles) -> Markup:
    """Seconds of proposals per 100 queries against the average rank: the best are at the top left."""
    seconds = {name: overhead(comparison, ranking.tasks, name) for name in ranking.ranks}
    x = LogAxis.over("seconds that the algorithm itself takes per 100 queries, one thread", seconds.values())
    # Ranks are drawn with the best on top.
    worst = len(ranking.ranks)
    y = _Ranks(label=f"average rank, {ranking.words}", low=0.5, high=worst + 0.5)
    chart = Chart(x, y, label="Overhead against quality", width=880, height=420)
    order = sorted(ranking.ranks, key=lambda name: not roles[name].lit)
    points = [(seconds[name], ranking.ranks[name]) for name in order]
    for name, point in zip(order, points, strict=True):
        told = f"{name}: rank {point[1]:.2f}, {point[0]:.3g} s"
        ink, mark = (roles[name].ink, "filled") if roles[name].lit else (QUIET, "hollow")
        chart.points([point], ink, mark=mark, names=[told])
    chart.labels(points, order)
    return chart.draw()


def overhead(comparison: Comparison, tasks: Iterable[str], name: str) -> float:
    """Seconds of proposals per 100 queries: mean over those of the tasks that the algorithm has searched."""
    found = [comparison.summaries[task][name] for task in tasks if name in comparison.on(task)]
    return sum(summary.overhead_seconds_per_100 for summary in found) / len(found)


class _Ranks(Axis):
    """Downward: rank 1 on top."""

    def position(self, value: float) -> float:
        return 1 - super().position(value)


def _behind_first(roles: Roles, drawn: Iterable[str]) -> list[Role]:
    """What stands out is drawn last, the reference on top."""
    return sorted((roles[name] for name in drawn), key=lambda role: -role.place)


def _staircase(values: np.ndarray) -> list[Point]:
    """From query 1 on; each value holds until the next query."""
    points: list[Point] = []
    for query, value in enumerate(values.tolist(), start=1):
        if points:
            points.append((query, points[-1][1]))
        points.append((query, value))
    return points


def _corners(queries: list[float], shares: list[float], *, last: int) -> list[Point]:
    """A survival curve from query 0, where it is 1, to the last query."""
    points: list[Point] = [(0.0, 100.0)]
    for query, share in zip(queries, shares, strict=True):
        points += [(query, points[-1][1]), (query, share)]
    return [*points, (float(last), points[-1][1])]
