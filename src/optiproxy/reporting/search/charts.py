"""The drawings of one search: its progress, its trade-offs, and what the proxy foresaw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from markupsafe import Markup

from optiproxy.reporting.search.words import state
from optiproxy.reporting.svg.chart import Chart, Mark, Point
from optiproxy.reporting.svg.palette import BAD, BEST, QUIET
from optiproxy.reporting.svg.scale import Axis, counting, number, robust
from optiproxy.searching.result import SearchResult
from optiproxy.storage.record import Record

_MARKS: tuple[tuple[str, Mark], ...] = (("infeasible", "hollow"), ("feasible", "filled"))


@dataclass(frozen=True)
class Captioned:
    """A drawing and what it shows, in words."""

    drawing: Markup
    caption: str


def progress(result: SearchResult) -> Markup | None:
    """Each query's first objective and the best so far; None before anything was measured."""
    objective = result.goal.objectives[0]
    values = [record.metrics.get(objective.metric, math.nan) for record in result.records]
    if not any(map(math.isfinite, values)):
        return None
    best = [math.nan if value is None else value for value in result.best_so_far]
    x = counting("queries finished", max(result.protocol.queries(result.budget), len(values)))
    optimum = [] if result.optimum is None else [result.optimum]
    promoted = {i for i, record in enumerate(result.records) if result.protocol.promote and record.fidelity is None}
    # Among all those at a lower fidelity, the few full values would be taken for outliers.
    kept = [*best[-1:], *(values[i] for i in promoted)]
    y = robust(objective.metric, values, keep=[*filter(math.isfinite, kept), *optimum])
    chart = Chart(x, y, label=f"{objective.metric} of every query and the best so far", width=880, height=360)
    for kind, mark in _MARKS:
        chosen = [i for i, record in enumerate(result.records) if state(result, record) == kind]
        for ink, group in (
            (QUIET, [i for i in chosen if i not in promoted]),
            (BEST, [i for i in chosen if i in promoted]),
        ):
            names = [f"#{result.records[i].number}: {number(values[i])}, {kind}" for i in group]
            chart.points([(i + 1, values[i]) for i in group], ink, mark=mark, names=names)
    failed = [(i + 1, record) for i, record in enumerate(result.records) if record.state == "failed"]
    foot = y.low + 0.03 * (y.high - y.low)
    names = [f"#{record.number}: {record.reason}" for _, record in failed]
    chart.points([(i, foot) for i, _ in failed], BAD, mark="cross", names=names)
    chart.steps([(i + 1, value) for i, value in enumerate(best)], BEST)
    for value in optimum:
        chart.level(value, "optimum")
    return chart.draw()


def hypervolume(result: SearchResult) -> Markup | None:
    """The share of the final box that the front dominated after each query; None where there is no box."""
    if result.box is None:
        return None
    x = counting("queries finished", max(result.protocol.queries(result.budget), len(result.records)))
    y = Axis(label="hypervolume", low=0.0, high=1.0)
    chart = Chart(x, y, label="hypervolume of the front after every query", width=880, height=260)
    chart.steps([(n + 1, share) for n, share in enumerate(result.hypervolume_so_far)], BEST)
    return chart.draw()


def tradeoffs(result: SearchResult) -> list[Markup]:
    """Every two objectives against each other and the first against every limited metric, limits drawn as lines."""
    objectives = [objective.metric for objective in result.goal.objectives]
    pairs = [
        *combinations(objectives, 2),
        *((objectives[0], x) for x in result.goal.metric_names if x not in objectives),
    ]
    rising = {objective.metric for objective in result.goal.objectives if objective.direction == "max"}
    front = result.front
    charts: list[Markup] = []
    for first, other in pairs:
        shown = [record for record in result.full if _measured(record, first, other)]
        bounds = [limit.bound for limit in result.goal.limits if limit.metric == other]
        x = robust(
            other, [record.metrics[other] for record in shown], keep=[*bounds, *(r.metrics[other] for r in front)]
        )
        y = robust(first, [record.metrics[first] for record in shown], keep=[record.metrics[first] for record in front])
        chart = Chart(x, y, label=f"{first} against {other}", width=430, height=320)
        for bound in bounds:
            chart.upright(bound, f"limit {number(bound)}")
        for kind, mark in _MARKS:
            chosen = [record for record in shown if state(result, record) == kind and record not in front]
            chart.points(_pairs(chosen, other, first), QUIET, mark=mark, names=_names(chosen, first, other))
        # Each step holds a value until the next point, so it has to come from the better side.
        best = sorted(front, key=lambda record, by=other: record.metrics[by], reverse=other in rising)
        if len(best) > 1 and len(objectives) == 2 and other in objectives:
            chart.steps(_pairs(best, other, first), BEST)
        chart.points(_pairs(best, other, first), BEST, names=_names(best, first, other))
        charts.append(chart.draw())
    return charts


def predictions(result: SearchResult) -> list[Captioned]:
    """One chart for each metric that was predicted before it was measured."""
    charts: list[Captioned] = []
    for name in result.goal.metric_names:
        known = [
            record
            for record in result.records
            if _measured(record, name) and math.isfinite(record.predicted.get(name, math.nan))
        ]
        if len(known) < 2:
            continue
        points = [(record.predicted[name], record.metrics[name]) for record in known]
        observed = robust(f"observed {name}", [y for _, y in points])
        expected = robust(f"predicted {name}", [x for x, _ in points])
        low, high = min(observed.low, expected.low), max(observed.high, expected.high)
        chart = Chart(
            Axis(label=expected.label, low=low, high=high),
            Axis(label=observed.label, low=low, high=high),
            label=f"predicted against observed {name}",
            width=430,
            height=380,
        )
        chart.diagonal()
        chart.points(
            points,
            BEST,
            names=[
                f"#{r.number}: predicted {number(x)}, observed {number(y)}"
                for r, (x, y) in zip(known, points, strict=True)
            ],
        )
        charts.append(
            Captioned(chart.draw(), f"{len(known)} predictions, rank correlation {_rank_correlation(points)}.")
        )
    return charts


def _rank_correlation(points: Sequence[Point]) -> str:
    """Spearman's; ties share their mean rank."""
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(column) for column in np.array(points).T])
    if (ranks.std(axis=1) == 0).any():
        return "undefined"
    return f"{np.corrcoef(ranks)[0, 1]:.2f}"


def _measured(record: Record, *names: str) -> bool:
    return all(math.isfinite(record.metrics.get(name, math.nan)) for name in names)


def _pairs(records: Sequence[Record], x: str, y: str) -> list[Point]:
    return [(record.metrics[x], record.metrics[y]) for record in records]


def _names(records: Sequence[Record], *metrics: str) -> list[str]:
    values = [", ".join(f"{name} {number(record.metrics[name])}" for name in metrics) for record in records]
    return [f"#{record.number}: {text}" for record, text in zip(records, values, strict=True)]
