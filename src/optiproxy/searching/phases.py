"""The phases of a search: what is queried next, and when there is nothing left to query."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol, final

from optiproxy.metrics import Goal
from optiproxy.searching.promotion import best_at_lower_fidelity
from optiproxy.spaces import Space
from optiproxy.storage.log import ExhaustedError, Query, QueryLog
from optiproxy.storage.record import Record


class Phase(Protocol):
    """A part of a search; the next one begins when all its queries have finished."""

    def ready(self) -> bool:
        """Whether it can begin; asked again after a while where it cannot."""
        ...

    def ask(self) -> Query | None:
        """Begin the next query; None where there is none. Asked again whenever a query has finished."""
        ...


@final
class Exploration:
    """Queries what the algorithm proposes, until the budget is spent or no architecture is left.

    Args:
        log: Asks the algorithm.
        budget: Such queries in all, with those that the log holds already or that run in other processes.
        fidelity: Of each query; None means the full one.

    Attributes:
        exhausted: Whether no architecture is left.
    """

    def __init__(self, log: QueryLog, *, budget: int, fidelity: int | None) -> None:
        self.exhausted = False
        self._log = log
        self._budget = budget
        self._fidelity = fidelity

    def ready(self) -> bool:
        return True

    def ask(self) -> Query | None:
        try:
            return None if self.exhausted else self._log.ask(budget=self._budget, fidelity=self._fidelity)
        except ExhaustedError:
            self.exhausted = True
            return None


@final
class Promotion:
    """Queries the best of a lower fidelity again in full.

    Each is queried once. Where that fails, the query is spent and no other architecture takes its place: which are
    promoted depends on the lower fidelity alone, so an interrupted search ends as if it had not been.

    Args:
        log: Holds the queries.
        goal: Says which are the best.
        space: Says which are isomorphic.
        count: How many are promoted.
        free: Metrics that were known before the query at the lower fidelity, and hold as they were then.
    """

    def __init__(self, log: QueryLog, goal: Goal, space: Space, *, count: int, free: Sequence[str]) -> None:
        self._log = log
        self._goal = goal
        self._space = space
        self._count = count
        self._free = free

    def ready(self) -> bool:
        """Whether all queries at the lower fidelity have finished, those of other processes included."""
        return not self._log.exploring()

    def ask(self) -> Query | None:
        begun = self._log.promoted()
        for record in self._chosen:
            if self._space.canonical(record.architecture) not in begun:
                known = {name: record.metrics[name] for name in self._free if name in record.metrics}
                query = self._log.promote(record.architecture, known=known)
                if query is not None:
                    return query
        return None

    @cached_property
    def _chosen(self) -> list[Record]:
        return best_at_lower_fidelity(self._log.records(), self._goal, self._space, self._count)
