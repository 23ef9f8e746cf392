"""The work of one search, put together: phases that ask, and the executor that runs what they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from typing import Literal, final

from optiproxy.execution.executors import InlineExecutor, ProcessExecutor
from optiproxy.execution.given import Given, opened
from optiproxy.execution.interrupts import Interrupts
from optiproxy.metrics import Goal
from optiproxy.results.result import Reason
from optiproxy.searching.ahead import proposals
from optiproxy.searching.loop import Callback, spend
from optiproxy.searching.phases import Exploration, Filling, Phase, Promotion, Retries
from optiproxy.searching.progress import SearchObserver
from optiproxy.searching.settings import SearchSettings
from optiproxy.searching.stopping import RunningSearch
from optiproxy.searching.submitting import Quiet, Submit
from optiproxy.storage.liveness import heartbeat
from optiproxy.storage.log import QueryLog
from optiproxy.storage.proposer import Proposer
from optiproxy.task.free_metrics import FreeLimits
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Task


@final
class Work:
    """Spends the budget of a search whose study is open.

    Args:
        task: Evaluates.
        goal: What is searched for.
        settings: Of the search.
        protocol: What is known before a query, and at which fidelity queries are made.
        log: Holds the queries.
        proposer: Says what the algorithm proposes.
        limits: Keep what breaks them from being evaluated.
        executor: Runs the evaluations instead of local worker processes, as `opened` takes it.
        interrupts: Of the search.
        again: Whether what has failed in earlier runs is tried again first.
    """

    def __init__(
        self,
        task: Task,
        goal: Goal,
        settings: SearchSettings,
        *,
        protocol: QueryProtocol,
        log: QueryLog,
        proposer: Proposer,
        limits: FreeLimits,
        executor: Given | None,
        interrupts: Interrupts,
        again: bool,
    ) -> None:
        self._log = log
        self._rules = settings.rules
        self._interrupts = interrupts
        self._executor = _executor(task, settings, executor)
        self._workers = 1 if isinstance(self._executor, InlineExecutor) else settings.workers
        # A single worker is idle whenever something is measured before its training.
        alone = self._workers == 1 or not task.quiet(goal)
        self._propose = proposals(proposer, goal, interrupts, workers=self._workers if alone else 1)
        self._exploration = Exploration(log, budget=settings.budget, fidelity=protocol.fidelity, propose=self._propose)
        # What is promoted depends on all results, so that those of others are waited for.
        settled = (lambda: not log.exploring()) if protocol.promote else log.claims.settled
        self._phases: list[Phase] = [self._exploration, Filling(self._exploration, settled)]
        if again:
            self._phases.insert(0, Retries(log))
        if protocol.promote:
            space = proposer.parameters.space
            self._phases.append(Promotion(log, goal, space, count=protocol.promote, free=protocol.free))
        self._submit = Submit(task, goal, settings, self._executor, log, limits)
        if not alone:
            quiet = Quiet(self._submit, lambda query: limits.measure(query.architecture), workers=self._workers)
            self._submit, self._phases = quiet.submit, quiet.phases(self._phases)

    @property
    def exhausted(self) -> bool:
        """Whether no architecture was left to propose."""
        return self._exploration.exhausted

    def spend(
        self, search: RunningSearch, *, observer: SearchObserver, callbacks: Sequence[Callback]
    ) -> Literal["done", "interrupted"] | Reason:
        """Query until there is nothing more to do, as `spend` says; afterwards no evaluation runs and no query is claimed.

        Args:
            search: What has finished; kept up to date.
            observer: Told of each record.
            callbacks: Called with each record.

        Raises:
            SearchFailed: If going on would be of no use.
            StorageAwayError: If the storage stays away.
        """
        try:
            with heartbeat(self._log.claims.beat), closing(self._propose):
                return spend(
                    self._log,
                    self._submit,
                    phases=self._phases,
                    search=search,
                    workers=self._workers,
                    interrupts=self._interrupts,
                    observer=observer,
                    rules=self._rules,
                    callbacks=callbacks,
                )
        finally:
            # Workers end before their queries are given up, so that none is trained here and asked for elsewhere.
            self._executor.shutdown(cancel_futures=True)
            self._log.claims.release()


def _executor(task: Task, settings: SearchSettings, given: Given | None) -> Executor:
    """What runs the evaluations; the search shuts it down."""
    if given is not None:
        return opened(given, limits=settings.limits, devices=settings.devices)
    if not task.isolated:
        return InlineExecutor()
    limits = settings.limits
    return ProcessExecutor(settings.workers, timeout=limits.timeout, memory=limits.memory, devices=settings.devices)
