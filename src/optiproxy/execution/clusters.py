"""Calls on the nodes of a cluster, each in a process of its own there, which may crash, hang and be killed as it may here.

What the cluster is asked to run is `run_here`, which starts that process and watches it. So a node that is lost is the
cluster's affair, which runs the call again elsewhere; a training that is lost is an answer like any other.
"""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, InvalidStateError
from concurrent.futures import wait as wait_for
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar, final

import cloudpickle

from optiproxy.errors import SearchFailed
from optiproxy.execution.executors import answered, pickled
from optiproxy.execution.limits import CallEnded, Limits
from optiproxy.execution.trees import end, new_mark
from optiproxy.execution.worker import ONE_THREAD, Workers
from optiproxy.task.values import one_line

P = ParamSpec("P")
T = TypeVar("T")


class Cluster(Executor):
    """An executor whose calls run on nodes that have optiproxy installed as well."""

    @abstractmethod
    def everywhere(self, fn: Callable[[str], None], argument: str, /) -> None:
        """Call a function on every node, once or more often, beside whatever runs there; return when all have done it."""


@final
class NodeExecutor(Executor):
    """Runs calls on a cluster, each in a process of its own on some node.

    A call that exceeds its limits, or whose process dies, ends as on a `ProcessExecutor`. Where its node is lost, the cluster
    runs it again.

    Args:
        cluster: Chooses the nodes.
        limits: What each call may take.
        close: Called when this executor has shut down.
    """

    def __init__(self, cluster: Cluster, limits: Limits, *, close: Callable[[], object]) -> None:
        self._cluster = cluster
        self._limits = limits
        self._close = close
        self._mark = new_mark()
        self._running: set[Future[bytes]] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        there = self._cluster.submit(run_here, pickled(fn, *args, **kwargs), self._limits, self._mark)
        self._running = {running for running in self._running if not running.done()} | {there}
        future: Future[T] = Future()
        there.add_done_callback(partial(hand_on, future, read=answered))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the interface
        """End the processes on all nodes: after their work, or at once where futures are cancelled."""
        if cancel_futures:
            for running in self._running:
                running.cancel()
        elif wait:
            wait_for(self._running)
        try:
            self._cluster.everywhere(end_here, self._mark)
        except Exception as error:  # noqa: BLE001 - a cluster that is gone must not hide how the search ended
            warnings.warn(f"The nodes could not be asked to end what they run ({one_line(error)}).", stacklevel=2)
        self._close()


def hand_on(future: Future[Any], source: Future[Any], *, read: Callable[[Any], Any] = lambda value: value) -> None:
    """Give a future what another one that is done has come to.

    Args:
        future: What the search waits for.
        source: What an executor or a cluster has returned.
        read: Takes its result; returns, or raises, what the call has.
    """
    error: BaseException | None = None
    value = None
    if source.cancelled():
        error = SearchFailed(
            "The executor has cancelled an evaluation: it was shut down, or has lost its cluster. What had finished is stored; the "
            "same search goes on from there."
        )
    elif (error := source.exception()) is None:
        try:
            value = read(source.result())
        except BaseException as raised:  # noqa: BLE001 - of the call
            error = raised
    with suppress(InvalidStateError):  # it was cancelled meanwhile
        future.set_result(value) if error is None else future.set_exception(error)


_HERE: dict[str, Workers] = {}
"""Mark of a `NodeExecutor` -> its workers below this process, which the cluster uses for many calls."""


def run_here(call: bytes, limits: Limits, mark: str) -> bytes:
    """What a node does: run a call in a worker process, and answer as `Workers.run` does, also with how that has ended.

    Args:
        call: Function and arguments, by cloudpickle.
        limits: What it may take.
        mark: Of the `NodeExecutor`.
    """
    # The cluster knows how many cores a call has, and says so by the number of threads.
    threads = {name: os.environ.get(name, default) for name, default in ONE_THREAD.items()}
    workers = _HERE.setdefault(mark, Workers([threads], mark=mark))
    try:
        return workers.run(call, limits)
    except (CallEnded, TimeoutError) as error:
        return cloudpickle.dumps((None, error))
    except BrokenExecutor as error:
        return cloudpickle.dumps((None, CallEnded(str(error), kind="start")))


def end_here(mark: str) -> None:
    """What a node does when a `NodeExecutor` has shut down: end all worker processes, and what they have started."""
    workers = _HERE.pop(mark, None)
    if workers is not None:
        workers.end()
    end(mark)
