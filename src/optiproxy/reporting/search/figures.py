"""The figures of one search as data: its progress, its trade-offs, and what the proxy foresaw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from optiproxy.reporting.axes import counting, finite, robust
from optiproxy.reporting.figures import Axis, Figure, Reference, Series
from optiproxy.reporting.words import coverage_in_words, number
from optiproxy.results.result import SearchResult
from optiproxy.storage.record import Record

INFEASIBLE, FEASIBLE, PROMOTED_INFEASIBLE, PROMOTED, FAILED, INCUMBENT, FRONT, PREDICTED, HYPERVOLUME = (
    "infeasible",
    "feasible",
    "infeasible, full fidelity",
    "feasible, full fidelity",
    "failed",
    "incumbent",
    "front",
    "predicted",
    "hypervolume",
)
"""Names of the series."""


def progress(result: SearchResult) -> Figure | None:
    """Each query's first objective and the incumbent; None before anything was measured."""
    metric = result.goal.objectives[0].metric
    values = [record.metrics.get(metric, math.nan) for record in result.records]
    if not any(map(math.isfinite, values)):
        return None
    best = [math.nan if value is None else value for value in result.best_so_far]
    optimum = [] if result.optimum is None else [Reference(value=result.optimum, name="optimum")]
    # A record without a fidelity was made at the full one; under a protocol with promotions those are the promotions.
    promoted = {i for i, record in enumerate(result.records) if result.protocol.promote and record.fidelity is None}
    states = [result.state(record) for record in result.records]

    def chosen(kind: str, name: str, *, full: bool) -> Series:
        at = [i for i, found in enumerate(states) if found == kind and (i in promoted) == full]
        return Series(
            name=name,
            x=tuple(float(i + 1) for i in at),
            y=finite(values[i] for i in at),
            shape="points",
            notes=tuple(f"#{result.records[i].number}: {number(values[i])}, {kind}" for i in at),
        )

    failed = [(i, record) for i, record in enumerate(result.records) if record.state == "failed"]
    # Among all those at a lower fidelity, the few full values would be taken for outliers.
    kept = [*best[-1:], *(values[i] for i in promoted)]
    return Figure(
        name="progress",
        title=f"{metric} of every query and the incumbent",
        x=counting("queries finished", max(result.protocol.queries(result.budget), len(values))),
        y=robust(metric, values, keep=[*filter(math.isfinite, kept), *(line.value for line in optimum)]),
        series=(
            chosen("infeasible", INFEASIBLE, full=False),
            chosen("infeasible", PROMOTED_INFEASIBLE, full=True),
            chosen("feasible", FEASIBLE, full=False),
            chosen("feasible", PROMOTED, full=True),
            Series(
                name=FAILED,
                x=tuple(float(i + 1) for i, _ in failed),
                shape="rug",
                notes=tuple(f"#{record.number}: {record.reason}" for _, record in failed),
            ),
            Series(name=INCUMBENT, x=tuple(float(i + 1) for i in range(len(best))), y=finite(best)),
        ),
        references=tuple(optimum),
    )


def hypervolume(result: SearchResult) -> Figure | None:
    """The share of the final box that the front dominated after each query; None where there is no box."""
    if result.box is None:
        return None
    shares = result.hypervolume_so_far
    return Figure(
        name="hypervolume",
        title="hypervolume of the front after every query",
        x=counting("queries finished", max(result.protocol.queries(result.budget), len(result.records))),
        y=Axis(title="hypervolume", low=0.0, high=1.0),
        series=(Series(name=HYPERVOLUME, x=tuple(float(n + 1) for n in range(len(shares))), y=tuple(shares)),),
    )


def tradeoffs(result: SearchResult) -> list[Figure]:
    """Every two objectives against each other, and the first against every limited metric with its limits."""
    objectives = [objective.metric for objective in result.goal.objectives]
    limited = [name for name in result.goal.metric_names if name not in objectives]
    # Not the limits against each other: no figure of the result depends on such a trade-off.
    pairs = [*combinations(objectives, 2), *((objectives[0], name) for name in limited)]
    return [_tradeoff(result, first, other) for first, other in pairs]


def _tradeoff(result: SearchResult, first: str, other: str) -> Figure:
    objectives = {objective.metric: objective.direction for objective in result.goal.objectives}
    front = result.front
    # Cheap trainings are no points of the front.
    shown = [record for record in result.full if _measured(record, first, other)]
    bounds = [limit.bound for limit in result.goal.limits if limit.metric == other]
    series = [
        _scatter(kind, [r for r in shown if result.state(r) == kind and r not in front], x=other, y=first)
        for kind in (INFEASIBLE, FEASIBLE)
    ]
    # Each step holds a value until the next point, so it has to come from the better side.
    best = sorted(front, key=lambda record: record.metrics[other], reverse=objectives.get(other) == "max")
    points = _scatter(FRONT, best, x=other, y=first)
    if len(best) > 1 and len(objectives) == 2 and other in objectives:
        series.append(replace(points, shape="steps", notes=()))
    values = [[record.metrics[name] for record in shown] for name in (other, first)]
    ends = [[record.metrics[name] for record in front] for name in (other, first)]
    return Figure(
        name=f"{first}-{other}",
        title=f"{first} against {other}",
        x=robust(other, values[0], keep=[*bounds, *ends[0]]),
        y=robust(first, values[1], keep=ends[1]),
        series=(*series, points),
        references=tuple(Reference(value=bound, name=f"limit {number(bound)}", axis="x") for bound in bounds),
    )


def predictions(result: SearchResult) -> list[Figure]:
    """Predicted against observed, for each metric that was predicted before it was measured."""
    figures: list[Figure] = []
    for name in result.goal.metric_names:
        known = [
            record
            for record in result.records
            if _measured(record, name) and math.isfinite(record.predicted.get(name, math.nan))
        ]
        # A single point has no correlation.
        if len(known) < 2:
            continue
        predicted = [record.predicted[name] for record in known]
        observed = [record.metrics[name] for record in known]
        x, y = robust(f"predicted {name}", predicted), robust(f"observed {name}", observed)
        low, high = min(x.low, y.low), max(x.high, y.high)
        notes = [
            f"#{record.number}: predicted {number(a)}, observed {number(b)}"
            for record, a, b in zip(known, predicted, observed, strict=True)
        ]
        correlation = _rank_correlation(predicted, observed)
        figures.append(
            Figure(
                name=f"predictions-{name}",
                title=f"predicted against observed {name}",
                # The same range on both axes, so that the diagonal is where a prediction was right.
                x=replace(x, low=low, high=high),
                y=replace(y, low=low, high=high),
                series=(
                    Series(name=PREDICTED, x=tuple(predicted), y=tuple(observed), shape="points", notes=tuple(notes)),
                ),
                diagonal=True,
                caption=f"{len(known)} predictions, rank correlation {correlation}. {coverage_in_words(result, name)}".strip(),
            )
        )
    return figures


def _rank_correlation(predicted: Sequence[float], observed: Sequence[float]) -> str:
    """Spearman's; ties share their mean rank."""
    from scipy.stats import spearmanr

    # A constant has no correlation, and scipy would warn about it.
    if min(len(set(predicted)), len(set(observed))) == 1:
        return "undefined"
    correlation, _ = spearmanr(predicted, observed)
    return f"{correlation:.2f}"


def _measured(record: Record, *names: str) -> bool:
    return all(math.isfinite(record.metrics.get(name, math.nan)) for name in names)


def _scatter(name: str, records: Sequence[Record], *, x: str, y: str) -> Series:
    return Series(
        name=name,
        x=tuple(record.metrics[x] for record in records),
        y=tuple(record.metrics[y] for record in records),
        shape="points",
        notes=tuple(
            f"#{record.number}: {y} {number(record.metrics[y])}, {x} {number(record.metrics[x])}" for record in records
        ),
    )
