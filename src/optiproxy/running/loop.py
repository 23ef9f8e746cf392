"""The one loop that spends queries: ask, evaluate, tell."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Literal

from optiproxy.metrics import Goal
from optiproxy.running.evaluation import Outcome
from optiproxy.running.executors import outcome_of
from optiproxy.running.interrupts import Interrupts
from optiproxy.running.progress import Observer
from optiproxy.running.records import ExhaustedError, Query, QueryLog
from optiproxy.running.result import Record
from optiproxy.spaces import Architecture

Stopped = Literal["budget", "exhausted", "interrupted"]

PATIENCE = 0.5
"""Seconds after which an interrupt is noticed at the latest."""


def spend(
    log: QueryLog,
    submit: Callable[[Architecture], Future[Outcome]],
    *,
    goal: Goal,
    budget: int,
    workers: int,
    observer: Observer,
) -> Stopped:
    """Query until the budget is spent, the space is exhausted or someone interrupts.

    Args:
        log: Proposes and keeps.
        submit: Starts an evaluation.
        goal: Says which record is the incumbent.
        budget: Queries in all, with those that the log holds already or that run in other processes.
        workers: Evaluations at a time.
        observer: Told of each record.

    Returns:
        Why it ended. On an interrupt what had finished is in the log; the rest is left running.
    """
    running: dict[Future[Outcome], Query] = {}
    done = log.records()
    incumbent: Record | None = None
    for record in done:
        incumbent = better(record, incumbent, goal)
    observer.on_start(total=budget, done=done, incumbent=incumbent)
    stopped: Stopped = "budget"
    try:
        with Interrupts() as interrupts:
            while True:
                while stopped == "budget" and len(running) < workers and log.spent() < budget:
                    try:
                        query = log.ask()
                    except ExhaustedError:
                        stopped = "exhausted"
                    else:
                        running[submit(query.architecture)] = query
                if not running:
                    break
                # A signal may be taken by another thread, and then does not wake a wait that has no end.
                wait(running, timeout=PATIENCE, return_when=FIRST_COMPLETED)
                for future in _done(running):
                    with interrupts.held():
                        record = log.tell(running.pop(future), outcome_of(future))
                    incumbent = better(record, incumbent, goal)
                    observer.on_finish(record, incumbent=incumbent)
    except KeyboardInterrupt:
        for future in _done(running):
            log.tell(running.pop(future), outcome_of(future))
        stopped = "interrupted"
    finally:
        observer.on_end()
    return stopped


def better(record: Record, incumbent: Record | None, goal: Goal) -> Record | None:
    """The feasible one with the better first objective; of equals the earlier."""
    if not goal.feasible(record.metrics):
        return incumbent
    if incumbent is None or goal.gains(record.metrics)[0] > goal.gains(incumbent.metrics)[0]:
        return record
    return incumbent


def _done(running: dict[Future[Outcome], Query]) -> list[Future[Outcome]]:
    """Those that are done, in the order of asking."""
    return [future for future in running if future.done() and not future.cancelled()]
