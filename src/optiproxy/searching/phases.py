"""The phases of a search: what is queried next, which of it is promoted, and when there is nothing left to query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cached_property
from typing import Any, Protocol, final

import numpy as np

from optiproxy.metrics import Goal, Metrics
from optiproxy.spaces import Architecture, Space
from optiproxy.storage.log import QueryLog
from optiproxy.storage.proposer import Source
from optiproxy.storage.record import Query, Record


class Phase(Protocol):
    """A part of a search; the next one begins when all its queries have finished."""

    def ready(self) -> bool:
        """Whether it can begin; asked again after a while where it cannot."""
        ...

    def ask(self) -> Query | Future[Any] | None:
        """Begin the next query; None where there is none; a future where it is not known yet.

        Asked again whenever a query has finished, or the future is done.
        """
        ...


@final
class Retries:
    """Queries again, in their place, what has failed in earlier runs.

    Args:
        log: Holds the queries.
    """

    def __init__(self, log: QueryLog) -> None:
        self._log = log

    def ready(self) -> bool:
        return True

    def ask(self) -> Query | None:
        return self._log.retry()


@final
class Exploration:
    """Queries what the algorithm proposes, until the budget is spent or no architecture is left.

    Args:
        log: Asks the algorithm.
        budget: Such queries in all, with those that the log holds already or that run in other processes.
        fidelity: Of each query; None means the full one.
        propose: Says what the algorithm proposes.

    Attributes:
        exhausted: Whether no architecture is left.
    """

    def __init__(self, log: QueryLog, *, budget: int, fidelity: int | None, propose: Source) -> None:
        self.exhausted = False
        self._log = log
        self._propose = propose
        self._budget = budget
        self._fidelity = fidelity

    def ready(self) -> bool:
        return True

    def ask(self) -> Query | Future[Any] | None:
        if self.exhausted:
            return None
        asked = self._log.ask(budget=self._budget, fidelity=self._fidelity, propose=self._propose)
        if isinstance(asked, Query | Future):
            return asked
        self.exhausted = asked == "exhausted"
        return None


@final
class Filling:
    """Queries what other processes have begun and died over, once it is known which of them live.

    Args:
        exploration: Queries.
        settled: Whether that is known; asked again and again.
    """

    def __init__(self, exploration: Exploration, settled: Callable[[], bool]) -> None:
        self._exploration = exploration
        self._settled = settled

    def ready(self) -> bool:
        return self._exploration.exhausted or self._settled()

    def ask(self) -> Query | Future[Any] | None:
        return self._exploration.ask()


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
        return self._log.promote(self._candidates)

    @cached_property
    def _candidates(self) -> list[tuple[Architecture, Metrics]]:
        # Once: all queries at the lower fidelity have finished, so the choice can no longer change.
        chosen = best_at_lower_fidelity(self._log.records(), self._goal, self._space, self._count)
        return [
            (record.architecture, {name: record.metrics[name] for name in self._free if name in record.metrics})
            for record in chosen
        ]


def best_at_lower_fidelity(records: Sequence[Record], goal: Goal, space: Space, count: int) -> list[Record]:
    """The ``count`` best of the records below the full fidelity, best first, no two of them isomorphic.

    What breaks a limit there is left out. With one objective the order is that of its values; with several, of two the
    one that fewer others dominate comes first (Fonseca and Fleming 1993), then the better in the first objective.
    """
    found = [record for record in records if record.fidelity is not None and goal.feasible(record.metrics)]
    gains = np.array([goal.gains(record.metrics) for record in found]).reshape(len(found), len(goal.objectives))
    # ``(n, n)``, row i and column j: whether j is nowhere worse than i and somewhere better.
    beaten = (gains >= gains[:, None]).all(-1) & (gains > gains[:, None]).any(-1)
    chosen: dict[Architecture, Record] = {}
    # Stable: of equal ones the one that finished first.
    for i in np.lexsort((-gains[:, 0], beaten.sum(1))).tolist():
        chosen.setdefault(space.canonical(found[i].architecture), found[i])
    return list(chosen.values())[:count]


def awaiting_promotion(records: Sequence[Record], goal: Goal, space: Space, count: int) -> list[Record]:
    """Those of `best_at_lower_fidelity` that no record at the full fidelity answers, be it a failed one."""
    answered = {space.canonical(record.architecture) for record in records if record.fidelity is None}
    chosen = best_at_lower_fidelity(records, goal, space, count)
    return [record for record in chosen if space.canonical(record.architecture) not in answered]
