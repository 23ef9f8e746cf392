"""What one search is asked to do, in one record that the command line, comparisons and the search share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from optiproxy import registry
from optiproxy.errors import UsageError
from optiproxy.execution.limits import Limits
from optiproxy.searching.pruning import USUAL
from optiproxy.searching.stopping import StopRules, check_whole, is_positive
from optiproxy.storage.backends.opening import Storage, address_of
from optiproxy.storage.backends.outage import SECONDS
from optiproxy.storage.study import known_name
from optiproxy.task.protocol import QueryProtocol

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

    from optiproxy.metrics import Goal
    from optiproxy.optimizer import AlgorithmFactory
    from optiproxy.task.task import Task


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """The settings of a search, whatever its task and its goal. One that makes no sense does not construct.

    Attributes:
        budget: Queries in all, with those that failed and those of earlier runs; promotions come on top.
        algorithm: A name that the registry knows, ``"MODULE:NAME"``, or a factory.
        seed: Of the algorithm and of the trainings.
        free: Metrics to be known before a query, besides those that the task treats so by itself.
        fidelity: One of the task's, to spend the budget there; None means the task's own choice.
        promote: How many of the best to query again in full; None means the task's own choice.
        workers: Evaluations at a time; a task that is not isolated takes them one by one.
        timeout: Seconds for one evaluation in a worker process; None means forever.
        memory: Bytes for one evaluation in a worker process and all that it starts; None means all that there is.
        devices: Of the worker processes, in turn; empty where each may use all that is there.
        storage: As `optiproxy.storage.backends.opening` lists them, and it may hold a password; None keeps the study in memory.
        study: Its name; None derives one from task, algorithm and seed.
        rules: What ends the search before its budget.
        keep: Of how many of the best trainings the files are kept.
        artifacts: Folder of these files; None means beside the storage where that is an SQLite file, or a temporary one.
        retry_failed: Whether queries of earlier runs that failed are tried again first.
        accept_changes: Whether a study goes on whose functions have changed since.
        max_outage: Seconds for which the storage may be away before the search ends.
        pruner: Ends trainings that promise too little, as far as they ask with `TrainingTrial.should_prune`: one of
            Optuna's, or None to end none.

    Raises:
        UsageError: If a number is out of its range, or the algorithm is not known.
    """

    budget: int
    algorithm: str | AlgorithmFactory = "optiproxy"
    seed: int = 0
    free: tuple[str, ...] = ()
    fidelity: int | None = None
    promote: int | None = None
    workers: int = 1
    timeout: float | None = None
    memory: int | None = None
    devices: tuple[str, ...] = ()
    storage: Storage | None = field(default=None, repr=False)
    study: str | None = None
    rules: StopRules = field(default_factory=StopRules)
    keep: int = 1
    artifacts: str | Path | None = None
    retry_failed: bool = False
    accept_changes: bool = False
    max_outage: float = SECONDS
    pruner: BasePruner | None = USUAL

    def __post_init__(self) -> None:
        address_of(self.storage)
        for name, low in (("budget", 1), ("seed", 0), ("workers", 1), ("keep", 0)):
            check_whole(name, getattr(self, name), low)
        if self.pruner is not None and not callable(getattr(self.pruner, "prune", None)):
            raise UsageError(f"Expected one of Optuna's pruners, a LeadersPruner or None, got {self.pruner!r}.")
        if not self.max_outage >= 0:
            raise UsageError(f"Expected max_outage to be 0 seconds or more, got {self.max_outage!r}.")
        if self.promote is not None:
            check_whole("promote", self.promote, 0)
        if self.timeout is not None and not is_positive(self.timeout):
            raise UsageError(
                f"Expected a timeout of more than 0 seconds, got {self.timeout!r}. None is for no timeout."
            )

    @property
    def address(self) -> str:
        """The address of the storage; empty where it has none."""
        return address_of(self.storage)

    @property
    def limits(self) -> Limits:
        """What one evaluation may take."""
        return Limits(timeout=self.timeout, memory=self.memory)

    def unused(self, task: Task) -> str:
        """Say which of these settings are of no use to a task; empty where there is none."""
        if task.isolated or (self.workers == 1 and self.limits == Limits()):
            return ""
        return (
            f"{task.name} trains nothing: it answers in this process, one query at a time, whatever is said of workers, "
            "timeout and memory."
        )

    @property
    def algorithm_name(self) -> str:
        """What study and reports call the algorithm."""
        return registry.algorithm_name(self.algorithm)

    @property
    def factory(self) -> AlgorithmFactory:
        """Builds the algorithm.

        Raises:
            UsageError: If there is none of this name.
        """
        return registry.algorithm(self.algorithm)

    def protocol(self, task: Task, goal: Goal) -> QueryProtocol:
        """The task's own protocol, changed by these settings.

        Raises:
            UsageError: If the goal reads what the task does not offer, a metric cannot be had without training, or there
                is no such fidelity or promotion.
        """
        goal.check(task.metrics)
        return QueryProtocol.of(task, goal, free=self.free, fidelity=self.fidelity, promote=self.promote)

    def study_name(self, task: Task) -> str:
        """The name of the study: the given one, or one that is the same for the same search of the task's own goal.

        Where the storage holds one that an earlier version has named otherwise, it is that.
        """
        if self.study is not None:
            return self.study
        names = [f"{name}-{self.algorithm_name}-seed{self.seed}" for name in (task.name, task.formerly) if name]
        return known_name(self.storage, *names)
