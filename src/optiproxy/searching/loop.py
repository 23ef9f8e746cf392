"""The one loop that spends queries: ask, evaluate, tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from typing import Any, Literal

from optiproxy.errors import SearchFailed
from optiproxy.execution.evaluation import Evaluation, evaluation_of
from optiproxy.execution.interrupts import Interrupts
from optiproxy.searching.phases import Phase
from optiproxy.searching.progress import SearchObserver
from optiproxy.searching.stopping import Reason, RunningSearch, Stopping, StopRules
from optiproxy.storage.backends.outage import StorageAwayError
from optiproxy.storage.log import QueryLog
from optiproxy.storage.record import Query, Record

PATIENCE = 0.5
"""Seconds after which an interrupt is noticed at the latest; a record that is being made is finished first."""

Callback = Callable[[RunningSearch, Record], None]
"""Called after each query, when its result has been stored; it may `RunningSearch.stop` the search."""


def spend(
    log: QueryLog,
    submit: Callable[[Query], Future[Evaluation]],
    *,
    phases: Sequence[Phase],
    search: RunningSearch,
    workers: int,
    interrupts: Interrupts,
    observer: SearchObserver,
    rules: StopRules,
    callbacks: Sequence[Callback] = (),
) -> Literal["done", "interrupted"] | Reason:
    """Query phase by phase until nothing is left to be asked, a rule says that it is enough, or someone interrupts.

    Args:
        log: Keeps the queries.
        submit: Starts an evaluation.
        phases: Say what is queried next.
        search: What has finished; kept up to date.
        workers: Evaluations at a time.
        interrupts: Heard while nothing is written.
        observer: Told of each record.
        rules: When to stop early.
        callbacks: Called with each record.

    Returns:
        Why it ended. After an interrupt what had finished is in the log; the rest is left running.

    Raises:
        SearchFailed: If going on would be of no use; what had finished is in the log.
        StorageAwayError: If the storage stays away; what was running has been finished, and is kept beside the study.
    """
    running: dict[Future[Evaluation], Query] = {}
    stopping = Stopping(rules, search)
    observer.on_start(total=search.total, done=[*search.records])
    _announce(workers, search, observer)

    def tell(future: Future[Evaluation]) -> None:
        query = running.pop(future)
        evaluation = evaluation_of(future)
        record = log.tell(query, evaluation)
        search.records.append(record)
        observer.on_finish(record)
        for callback in callbacks:
            callback(search, record)
        stopping.check(evaluation.missing)

    try:
        with interrupts:
            for phase in phases:
                _await_ready(phase, stopping, interrupts)
                going_on = True
                while going_on:
                    # A result that is not stored yet can be lost; a worker that stands idle costs time alone.
                    while done := _done(running):
                        tell(done[0])
                        interrupts.check()
                    asked = phase.ask() if len(running) < workers and stopping.reason() is None else None
                    with interrupts.heard():
                        if isinstance(asked, Query):
                            running[submit(asked)] = asked
                        else:
                            going_on = _awaited(running, asked)
            return stopping.reason() or "done"
    except KeyboardInterrupt:
        _keep(log, running)
        return "interrupted"
    except (SearchFailed, StorageAwayError) as error:
        # Without the storage nothing more can be asked for; but what runs is paid for, and its results wait beside the study.
        wait(running if isinstance(error, StorageAwayError) else ())
        _keep(log, running)
        raise
    finally:
        observer.on_end()


def _announce(workers: int, search: RunningSearch, observer: SearchObserver) -> None:
    """Nothing finishes for some seconds, of which most go into importing torch in each worker."""
    if workers > 1 and len(search.records) < search.total:
        observer.on_news(f"starting {workers} workers, each of which imports the script")


def _keep(log: QueryLog, running: Mapping[Future[Evaluation], Query]) -> None:
    """What has finished in the meantime is paid for; the loop has not told it yet."""
    for future in _done(running):
        with suppress(SearchFailed):  # others that were lost with the same executor
            log.tell(running[future], evaluation_of(future))


def _await_ready(phase: Phase, stopping: Stopping, interrupts: Interrupts) -> None:
    while not phase.ready() and stopping.reason() is None:
        with interrupts.heard():
            time.sleep(PATIENCE)


def _awaited(running: Iterable[Future[Evaluation]], asked: Future[Any] | None) -> bool:
    """Wait until an evaluation has finished, or what was asked for is known; False where there is nothing to wait for."""
    futures = [*running, *([] if asked is None else [asked])]
    # A signal may be taken by another thread, and then does not wake a wait that has no end.
    wait(futures, timeout=PATIENCE, return_when=FIRST_COMPLETED)
    return bool(futures)


def _done(running: Mapping[Future[Evaluation], Query]) -> list[Future[Evaluation]]:
    """Those that are done, in the order of asking."""
    return [future for future in running if future.done() and not future.cancelled()]
