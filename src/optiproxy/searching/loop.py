"""The one loop that spends queries: ask, evaluate, tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

from optiproxy.execution.evaluation import Evaluation, evaluation_of
from optiproxy.execution.interrupts import Interrupts
from optiproxy.searching.phases import Phase
from optiproxy.searching.progress import Observer
from optiproxy.storage.log import QueryLog
from optiproxy.storage.record import Query, Record

PATIENCE = 0.5
"""Seconds after which an interrupt is noticed at the latest; a proposal or record that is being made is finished first."""


def spend(
    log: QueryLog,
    submit: Callable[[Query], Future[Evaluation]],
    *,
    phases: Sequence[Phase],
    total: int,
    workers: int,
    observer: Observer[Record],
) -> bool:
    """Query phase by phase until nothing is left to be asked, or someone interrupts.

    Args:
        log: Keeps the queries.
        submit: Starts an evaluation.
        phases: Say what is queried next.
        total: Queries that all phases may make.
        workers: Evaluations at a time.
        observer: Told of each record.

    Returns:
        Whether it came to its end. After an interrupt what had finished is in the log; the rest is left running.
    """
    running: dict[Future[Evaluation], Query] = {}
    observer.on_start(total=total, done=log.records())
    try:
        with Interrupts() as interrupts:
            for phase in phases:
                while not phase.ready():
                    with interrupts.heard():
                        time.sleep(PATIENCE)
                while True:
                    # All free workers are filled before any result is waited for.
                    while len(running) < workers and (query := phase.ask()) is not None:
                        with interrupts.heard():
                            running[submit(query)] = query
                    if not running:
                        break
                    # A signal may be taken by another thread, and then does not wake a wait that has no end.
                    with interrupts.heard():
                        wait(running, timeout=PATIENCE, return_when=FIRST_COMPLETED)
                    for future in _done(running):
                        observer.on_finish(log.tell(running.pop(future), evaluation_of(future)))
                        interrupts.check()
    except KeyboardInterrupt:
        # What finished while the signal came is paid for; the loop has not told it yet.
        for future in _done(running):
            log.tell(running.pop(future), evaluation_of(future))
        return False
    finally:
        observer.on_end()
    return True


def _done(running: dict[Future[Evaluation], Query]) -> list[Future[Evaluation]]:
    """Those that are done, in the order of asking."""
    return [future for future in running if future.done() and not future.cancelled()]
