"""How one run is scored: its incumbents, when it met a target, and the measures by which two algorithms are compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, final

import numpy as np

from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.results import Row, RunResult
from optiproxy.metrics import Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPTIMUM_TOLERANCE = 1e-6
"""Relative difference up to which a value is the optimum: published optima are rounded."""

HALFWAY = 50
"""Queries after which incumbents are compared, besides the end."""


def final_incumbent(result: RunResult) -> Row | None:
    """The query that a run answers with: the first that reached its final best; None where nothing was feasible."""
    final = result.queries[-1].best_so_far if result.queries else None
    # The incumbent changes only where it improves, so the first row with its value is the one that set it.
    return None if final is None else next(row for row in result.queries if row.best_so_far == final)


def queries_to_target(result: RunResult, objective: Objective, target: float) -> int | None:
    """The first query after which the incumbent is as good as ``target``, up to `OPTIMUM_TOLERANCE`; None if it never is."""
    # As a gain, of which more is better in either direction, so that one comparison serves both.
    wanted = objective.gain({objective.metric: target})
    for row in result.queries:
        if row.best_so_far is not None:
            gain = objective.gain({objective.metric: row.best_so_far})
            if gain >= wanted or math.isclose(gain, wanted, rel_tol=OPTIMUM_TOLERANCE):
                return row.query
    return None


def queries_to_optimum(results: Sequence[RunResult], setting: TaskSetting) -> list[int | None]:
    """The query with which each run met the known optimum, or None; an empty list where no optimum is known."""
    if setting.optimum is None:
        return []
    return [queries_to_target(result, setting.first_objective, setting.optimum) for result in results]


def incumbent_curves(results: Sequence[RunResult], objective: Objective, *, queries: int) -> NDArray[np.float64]:
    """The incumbent of each run after each query, larger = better.

    Args:
        results: The ``s`` runs of an algorithm, one per seed.
        objective: Gives the sign; a metric that is minimized is negated.
        queries: Length of the curves.

    Returns:
        ``(s, queries)``; ``-inf`` until something is feasible. A run that ended early keeps its last value.
    """
    # Minus infinity is worse than any value, so that ranks and quantiles need no special case.
    curves = np.full((len(results), queries), -np.inf)
    for curve, result in zip(curves, results, strict=True):
        for row in result.queries:
            if row.best_so_far is not None:
                # To the end, until a later query overwrites it.
                curve[row.query - 1 :] = objective.gain({objective.metric: row.best_so_far})
    return curves


def incumbent_quartiles(results: Sequence[RunResult], objective: Objective, *, queries: int) -> NDArray[np.float64]:
    """Quartiles over the runs of the incumbent after each query, in the metric's own unit.

    They are values of runs and not interpolated between two, so that a run without anything feasible needs no number.

    Returns:
        ``(3, queries)``: the lower quartile, the median and the upper quartile; infinite where that run has no incumbent.
    """
    # Taken of values that are larger when better, where "nothing feasible" is the smallest.
    curves = incumbent_curves(results, objective, queries=queries)
    quartiles = np.quantile(curves, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    # Turning the sign turns the order: the lower quartile is now the last.
    return quartiles if objective.direction == "max" else -quartiles[::-1]


class Measure(Protocol):
    """One way to score a run on a task, so that two algorithms can be compared.

    Attributes:
        name: Name in ``statistics.json``.
        label: The words that stand beside it there.
    """

    name: str
    label: str

    def checkpoint(self, setting: TaskSetting, queries: int) -> int | None:
        """After which query runs are scored, all of which made ``queries``; None where this measure does not apply."""
        ...

    def scores(self, results: Sequence[RunResult], setting: TaskSetting, *, at: int) -> NDArray[np.float64]:
        """``(s,)`` scores after query ``at``, larger = better; ``-inf`` for a run in which nothing was feasible.

        The unit is that of the objective, or queries.
        """
        ...


@final
class QueriesToOptimum:
    """How early the optimum is met.

    A run that has not met it after query ``at`` scores as if it met it one query later: the least that is certain of it.
    """

    name = "queries_to_optimum"
    label = "queries to the optimum"

    def checkpoint(self, setting: TaskSetting, queries: int) -> int | None:
        return None if setting.optimum is None else queries

    def scores(self, results: Sequence[RunResult], setting: TaskSetting, *, at: int) -> NDArray[np.float64]:
        met = queries_to_optimum(results, setting)
        return np.array([-float(at + 1 if query is None or query > at else query) for query in met])


class _Incumbent:
    """How good the incumbent is. Two runs differ in it by as much as in their simple regret."""

    def scores(self, results: Sequence[RunResult], setting: TaskSetting, *, at: int) -> NDArray[np.float64]:
        return incumbent_curves(results, setting.first_objective, queries=at)[:, -1]


@final
class HalfwayIncumbent(_Incumbent):
    """The incumbent after `HALFWAY` queries, of runs that go on and have one by then."""

    name = f"best_after_{HALFWAY}"
    label = f"best after {HALFWAY} queries"

    def checkpoint(self, setting: TaskSetting, queries: int) -> int | None:
        # Before promotions nothing is known at the full fidelity, so there is nothing to look at halfway.
        return HALFWAY if queries > HALFWAY and not setting.protocol.promote else None


@final
class FinalIncumbent(_Incumbent):
    """The incumbent after the last query that all have made."""

    name = "best_at_end"
    label = "best at the end"

    def checkpoint(self, setting: TaskSetting, queries: int) -> int | None:  # noqa: ARG002 - every task has an end
        return queries


# In the order of ``statistics.json``. The final incumbent is last: overall ranks are by the last one.
MEASURES: tuple[Measure, ...] = (QueriesToOptimum(), HalfwayIncumbent(), FinalIncumbent())
