"""Times are measured while no evaluation of the search runs: its queries begin together, measured beforehand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import final

from optiproxy.execution.evaluation import Evaluation
from optiproxy.searching.phases import Phase
from optiproxy.storage.record import Query


@final
class Quiet:
    """Knows which evaluations run, and makes phases ask only while none does.

    Waiting for all workers costs the time that the longest of their trainings takes beyond the others. Trainings that are
    stopped in their midst instead would count the pause as their own time, and end at a timeout that they had kept.

    Trainings by other processes that share the study are not seen.

    Args:
        submit: Starts an evaluation.
        measure: Measures before an evaluation what no other one may run beside.
        workers: Evaluations at a time.
    """

    def __init__(
        self, submit: Callable[[Query], Future[Evaluation]], measure: Callable[[Query], None], *, workers: int
    ) -> None:
        self._submit = submit
        self._measure = measure
        self._workers = workers
        self._running: list[Future[Evaluation]] = []

    def submit(self, query: Query) -> Future[Evaluation]:
        """Start an evaluation."""
        future = self._submit(query)
        self._running.append(future)
        return future

    def phases(self, phases: Sequence[Phase]) -> list[Phase]:
        """The same phases, whose queries begin together."""
        return [_Together(phase, self._next) for phase in phases]

    def _next(self, phase: Phase) -> list[Query]:
        """A query for every worker, all measured; none while an evaluation runs."""
        self._running = [future for future in self._running if not future.done()]
        # Proposals measure, too: whatever has to be known whether it keeps a limit.
        queries = [] if self._running else list(islice(iter(phase.ask, None), self._workers))
        for query in queries:
            self._measure(query)
        return queries


@final
class _Together(Phase):
    def __init__(self, phase: Phase, following: Callable[[Phase], list[Query]]) -> None:
        self._phase = phase
        self._following = following
        self._queries: deque[Query] = deque()

    def ready(self) -> bool:
        return self._phase.ready()

    def ask(self) -> Query | None:
        if not self._queries:
            self._queries.extend(self._following(self._phase))
        return self._queries.popleft() if self._queries else None
