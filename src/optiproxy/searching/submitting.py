"""From a query to a running evaluation: all that the process that evaluates is to know goes along."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass

from optiproxy.errors import UsageError
from optiproxy.execution.evaluation import Evaluation, evaluate
from optiproxy.metrics import Goal
from optiproxy.searching.pruning import LeadersPruner, PrunerJudge
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
        try:
            return self.executor.submit(
                evaluate,
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
        chosen = LeadersPruner() if pruner == "leaders" else pruner
        return PrunerJudge(chosen, objective.direction, self.log.curves(), name=self.log.name, number=query.number)
