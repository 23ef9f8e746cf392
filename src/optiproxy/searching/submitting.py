"""From a query to a running evaluation: what goes along, and what no other evaluation may run beside."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import final

from optiproxy.errors import UsageError
from optiproxy.execution.evaluation import Evaluation, evaluate
from optiproxy.execution.receipts import with_receipt
from optiproxy.metrics import Goal
from optiproxy.searching.phases import Phase
from optiproxy.searching.pruning import PrunerJudge
from optiproxy.searching.settings import SearchSettings
from optiproxy.storage.log import QueryLog
from optiproxy.storage.record import Query
from optiproxy.task.free_metrics import FreeLimits
from optiproxy.task.task import Task


@dataclass(frozen=True)
class Submit:
    """Starts evaluations.

    Attributes:
        task: Evaluates.
        goal: Says which metrics have to be there.
        settings: Of the search.
        executor: Runs the evaluations.
        log: Holds the queries, and what has been learned from their curves.
        limits: Know what was measured before.
    """

    task: Task
    goal: Goal
    settings: SearchSettings
    executor: Executor
    log: QueryLog
    limits: FreeLimits

    def __call__(self, query: Query) -> Future[Evaluation]:
        """Start the evaluation of a query.

        Raises:
            UsageError: If the executor takes none.
        """
        # What settled that the architecture keeps its limits stays so: a latency that is measured again may break one.
        known = {**self.limits.measured(query.architecture), **query.known}
        receipt = self.log.endings.receipt(query.stored)
        try:
            return self.executor.submit(
                evaluate if receipt is None else partial(with_receipt, receipt, evaluate),
                self.task,
                query.architecture,
                self.goal,
                seed=self.settings.seed,
                known=known,
                fidelity=query.fidelity,
                number=query.number,
                folder=self.log.folder(query),
                judge=self._judge(query),
            )
        except RuntimeError as error:  # what an executor raises that has been shut down
            raise UsageError(f"The executor takes no evaluation: {error}. Give one that is open.") from error

    def _judge(self, query: Query) -> PrunerJudge | None:
        pruner = self.settings.pruner
        # Of several objectives no curve tells; and values at two fidelities do not compare.
        objective, *others = self.goal.objectives
        if pruner is None or not self.task.reports or others or query.fidelity is not None:
            return None
        return PrunerJudge(pruner, objective.direction, self.log.curves(), name=self.log.name, number=query.number)


@final
class Quiet:
    """Has times measured while no evaluation of the search runs: its queries begin together, measured beforehand.

    It knows which evaluations run, and makes phases ask only while none does.

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
        asked = [] if self._running else islice(iter(phase.ask, None), self._workers)
        # While nothing runs nobody computes ahead.
        queries = [query for query in asked if isinstance(query, Query)]
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
