"""What two algorithms are compared by: scores of searches within the queries that both have had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, final

import numpy as np

from optiproxy.comparison.runs.grid import Contest
from optiproxy.comparison.runs.outcome import Outcome
from optiproxy.comparison.stats.statistics import gain_curves, queries_to

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIDDLE = 50
"""Queries after which the best so far is compared, besides the end."""


class Measure(Protocol):
    """One way to score a search.

    Attributes:
        name: In ``statistics.json``.
        words: On the page.
    """

    name: str
    words: str

    def mark(self, contest: Contest, queries: int) -> int | None:
        """At which query searches of a task are scored, all of which have had ``queries``; None where they are not."""
        ...

    def scores(self, outcomes: Sequence[Outcome], contest: Contest, *, at: int) -> NDArray[np.float64]:
        """``(s,)``, larger = better, in queries or in the unit of the objective; ``-inf`` where nothing was feasible."""
        ...


@final
class QueriesToOptimum:
    """How early the optimum is met.

    One that does not meet it within the queries scores as one query later: the least that is certain of it.
    """

    name = "queries_to_optimum"
    words = "queries to the optimum"

    def mark(self, contest: Contest, queries: int) -> int | None:
        return None if contest.optimum is None else queries

    def scores(self, outcomes: Sequence[Outcome], contest: Contest, *, at: int) -> NDArray[np.float64]:
        optimum = contest.optimum
        met = [None if optimum is None else queries_to(outcome, contest.aim, optimum) for outcome in outcomes]
        return np.array([-float(at + 1 if query is None or query > at else query) for query in met])


class _Best:
    """How good the best so far is. Two searches differ in it by as much as in their regret."""

    def scores(self, outcomes: Sequence[Outcome], contest: Contest, *, at: int) -> NDArray[np.float64]:
        return gain_curves(outcomes, contest.aim, budget=at)[:, -1]


@final
class BestAfter(_Best):
    """After `MIDDLE` queries, where searches go on and the best is known by then."""

    name = f"best_after_{MIDDLE}"
    words = f"best after {MIDDLE} queries"

    def mark(self, contest: Contest, queries: int) -> int | None:
        return MIDDLE if queries > MIDDLE and not contest.protocol.promote else None


@final
class BestAtEnd(_Best):
    """After the last query that all have had."""

    name = "best_at_end"
    words = "best at the end"

    def mark(self, contest: Contest, queries: int) -> int | None:  # noqa: ARG002 - every task has an end
        return queries


MEASURES: tuple[Measure, ...] = (QueriesToOptimum(), BestAfter(), BestAtEnd())
