"""What a user gives to run evaluations elsewhere, opened: a cluster, any executor, or what makes one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from typing import Any, ParamSpec, TypeVar, final

from optiproxy import registry
from optiproxy.errors import SearchFailed, UsageError
from optiproxy.execution.clusters import Cluster, NodeExecutor, hand_on
from optiproxy.execution.limits import CallEnded, Limits
from optiproxy.task.values import one_line

P = ParamSpec("P")
T = TypeVar("T")

Given = Executor | str | Callable[[], Executor]
"""An open executor, what makes one, or a text that names one of these or a cluster."""


def opened(given: Given, *, limits: Limits, devices: Sequence[str]) -> Executor:
    """An executor for one search, which shuts it down; what was given open stays open.

    Args:
        given: What `registry.executor` takes.
        limits: What an evaluation may take.
        devices: Of the worker processes here.

    Raises:
        UsageError: If it is nothing of the kind, or does not keep the limits or give out the devices.
    """
    if devices:
        raise UsageError(
            "Devices are given out to the built-in worker processes only. Give them out in the executor instead."
        )
    make = partial(registry.executor, given)
    executor = make()
    close = _leave_open if executor is given else _close
    if isinstance(executor, Cluster):
        return NodeExecutor(executor, limits, close=partial(close, executor))
    for name, limit in (("timeout", limits.timeout), ("memory limit", limits.memory)):
        if limit is not None:
            close(executor)
            raise UsageError(
                f"A {name} is kept by the built-in worker processes, and on Dask and Ray only. Set it in the executor instead."
            )
    return Foreign(executor, make, close=close)


def _close(executor: Executor) -> None:
    executor.shutdown()


def _leave_open(executor: Executor) -> None:
    pass  # it is the user's


@final
class Foreign(Executor):
    """Any executor, and what becomes of the search when it breaks.

    In a pool of processes one call that ends its process takes along all that run beside it, and the pool takes no more. Where
    another pool can be made, each lost call runs there once more: it may have been the neighbour of the one to blame.

    Args:
        executor: Open.
        make: Makes another one that is like it, or returns the same where there is no other.
        close: Called with each executor in the end.
    """

    def __init__(self, executor: Executor, make: Callable[[], Executor], *, close: Callable[[Executor], None]) -> None:
        self._executors = [executor]
        self._make = make
        self._close = close
        self._lock = threading.Lock()
        self._answered = False
        self._running: set[Future[Any]] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._start(partial(fn, *args, **kwargs), future, lost=0)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the interface
        if cancel_futures:
            for running in [*self._running]:
                running.cancel()
        for executor in self._executors:
            self._close(executor)

    def _start(self, call: Callable[[], T], future: Future[T], *, lost: int) -> None:
        executor = self._executors[-1]
        try:
            running = executor.submit(call)
        except BrokenExecutor as error:
            self._lost(executor, error, call, future, lost=lost)
            return
        if not isinstance(running, Future):  # pyright: ignore[reportUnnecessaryIsInstance] - of a user's own class
            raise UsageError(
                f"Expected the executor to return a concurrent.futures.Future, got {type(running).__module__}.{type(running).__name__}. "
                "A client of Dask goes into DaskExecutor(client)."
            )
        self._running = {other for other in self._running if not other.done()} | {running}
        running.add_done_callback(partial(self._ended, executor, call, future, lost))

    def _ended(
        self, executor: Executor, call: Callable[[], T], future: Future[T], lost: int, running: Future[T]
    ) -> None:
        error = None if running.cancelled() else running.exception()
        if isinstance(error, BrokenExecutor):
            self._lost(executor, error, call, future, lost=lost + 1)
        else:
            self._answered = True
            hand_on(future, running)

    def _lost(
        self, executor: Executor, error: BrokenExecutor, call: Callable[[], T], future: Future[T], *, lost: int
    ) -> None:
        """A call that an executor which broke has not answered: run again, failed, or the end of the search."""
        try:
            self._replace(executor, error)
            if lost < 2:
                self._start(call, future, lost=lost)
            else:
                told = f"The executor broke twice while this ran ({one_line(error)}). {self._why}"
                future.set_exception(CallEnded(told, kind="broken"))
        except Exception as refused:  # noqa: BLE001 - it comes up in a thread of the executor, which would swallow it
            future.set_exception(refused)

    def _replace(self, broken: Executor, error: BrokenExecutor) -> None:
        with self._lock:
            if self._executors[-1] is not broken:
                return
            try:
                executor = self._make()
            except Exception as refused:
                raise SearchFailed(
                    f"The executor broke ({one_line(error)}), and another could not be made: {one_line(refused)}."
                ) from refused
            if executor is broken:
                raise SearchFailed(
                    f"The executor broke ({one_line(error)}). {self._why} What had finished is stored; give a function that makes the "
                    "executor, such as `lambda: ProcessPoolExecutor(4)`, so that another takes its place."
                ) from error
            self._executors.append(executor)

    @property
    def _why(self) -> str:
        if self._answered:
            return (
                "A training that ends its process takes along all that run beside it; the built-in worker processes, which are "
                "there without an executor, keep them apart."
            )
        return (
            "No evaluation has come back: the first one ends its process, or the processes cannot start. In a script, put the "
            "search under `if __name__ == '__main__':`, because they import it."
        )
