"""What the decisions of one search have to do with its objectives, as data: their importance, and parallel coordinates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from optiproxy.optimizer import Trial
from optiproxy.reporting.axes import around
from optiproxy.reporting.figures import Axis, Bars, Parallel, Series
from optiproxy.reporting.search.figures import FAILED, FEASIBLE, FRONT, INFEASIBLE
from optiproxy.reporting.words import number
from optiproxy.results.importance import importances
from optiproxy.results.result import SearchResult
from optiproxy.spaces.decisions import Decision
from optiproxy.spaces.ranges import Float, Int
from optiproxy.storage.record import Record

MOST_BARS, MOST_AXES, MOST_LABELS = 15, 8, 12
"""Decisions and choices of which more would not be readable."""


def decision_importances(result: SearchResult) -> list[Bars]:
    """For each objective, how much each decision matters to it; empty before enough was measured to say.

    It is the permutation importance in OptiProxy's default proxy (`optiproxy.results.importance`), whatever algorithm has
    searched; with promotions, of the queries at the lower fidelity, which are most of them.
    """
    records = [record for record in result.records if record.fidelity == result.protocol.fidelity]
    trials = [Trial(record.architecture, record.metrics) for record in records]
    return [
        _bars(metric, shares, len(records)) for metric, shares in importances(result.space, result.goal, trials).items()
    ]


def _bars(metric: str, shares: Mapping[str, float], trainings: int) -> Bars:
    ranked = sorted(shares.items(), key=lambda entry: -entry[1])
    shown = ranked[:MOST_BARS]
    left = f" Shown are the first {MOST_BARS} of {len(ranked)}." if len(ranked) > len(shown) else ""
    return Bars(
        name=f"importance-{metric}",
        title=f"importance of decisions to {metric}",
        names=tuple(name for name, _ in shown),
        values=tuple(share for _, share in shown),
        caption=f"Permutation importance in a proxy fitted to {trainings} queries: the mean squared change of its prediction "
        f"where a decision is exchanged for that of another query, as a share of all.{left}",
    )


def parallel_coordinates(result: SearchResult, importance: Sequence[Bars] = ()) -> Parallel | None:
    """Each query as a line across its decisions and the metrics of the goal; None before anything was measured.

    Args:
        result: The search.
        importance: Of `decision_importances`: the decisions that matter most to the first objective are shown, in this
            order. Without it, the first decisions of the space.
    """
    metrics = result.goal.metric_names
    if not any(math.isfinite(r.metrics.get(name, math.nan)) for r in result.records for name in metrics):
        return None
    decisions = list(enumerate(result.space.decisions))
    if importance:
        order = importance[0].names
        decisions.sort(key=lambda entry: order.index(entry[1].name) if entry[1].name in order else len(order))
    shown = decisions[:MOST_AXES]
    axes = [_axis(decision) for _, decision in shown]
    axes += [around(name, [record.metrics.get(name) for record in result.records]) for name in metrics]
    front = result.front
    names = (FAILED, INFEASIBLE, FEASIBLE, FRONT)
    # What was pruned has no metrics, and has not failed.
    lines = [
        _line(result, r, shown, FRONT if r in front else INFEASIBLE if r.state == "pruned" else result.state(r))
        for r in result.records
    ]
    which = "that matter most" if importance else "that come first"
    left = f" Of {len(decisions)} decisions those {which} are shown." if len(decisions) > len(shown) else ""
    return Parallel(
        name="parallel-coordinates",
        title="decisions and metrics of every query",
        axes=tuple(axes),
        series=tuple(sorted(lines, key=lambda line: names.index(line.name))),
        caption=f"Each line is a query: what it chose, and what came of it. The best in blue; what failed or was pruned ends before "
        f"the metrics.{left}",
    )


def _axis(decision: Decision) -> Axis:
    choices = decision.choices
    if isinstance(choices, Int | Float):
        low, high = float(choices[0]), float(choices[len(choices) - 1])
        # A range of one value has room around it.
        if low == high:
            return around(decision.name, [low])
        return Axis(title=decision.name, low=low, high=high, scale="log" if choices.log else "linear")
    # Half a step of room for one choice alone.
    last = len(choices) - 1
    labels = tuple(map(str, choices)) if len(choices) <= MOST_LABELS else ()
    if not labels and decision.scale is not None:
        labels = (str(choices[0]), *[""] * (last - 1), str(choices[last]))
    return Axis(title=decision.name, low=0.0 if last else -0.5, high=float(last) or 0.5, labels=labels)


def _line(result: SearchResult, record: Record, shown: Sequence[tuple[int, Decision]], name: str) -> Series:
    values: list[float | None] = []
    for d, decision in shown:
        position = record.architecture[d]
        numbers = decision.choices if isinstance(decision.choices, Int | Float) else None
        values.append(float(position if numbers is None else numbers[position]))
    told: list[str] = []
    for metric in result.goal.metric_names:
        value = record.metrics.get(metric, math.nan)
        values.append(value if math.isfinite(value) else None)
        told.append(f"{metric} {number(value)}")
    return Series(
        name=name,
        x=tuple(float(k) for k in range(len(values))),
        y=tuple(values),
        shape="lines",
        notes=(f"#{record.number}: {', '.join(told) if name != FAILED else record.reason}",),
    )
