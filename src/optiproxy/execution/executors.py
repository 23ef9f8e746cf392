"""Where evaluations run: in this process, or in worker processes that may crash, hang and be killed."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar, final

import cloudpickle

from optiproxy.errors import UsageError
from optiproxy.execution.devices import visible_to
from optiproxy.execution.limits import Limits
from optiproxy.execution.worker import ONE_THREAD, Workers
from optiproxy.task.values import one_line

P = ParamSpec("P")
T = TypeVar("T")


@final
class InlineExecutor(Executor):
    """Runs each call at once, in this process and thread; an interrupt passes through."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - an executor hands every exception on
            future.set_exception(error)
        return future


@final
class ProcessExecutor(Executor):
    """Runs calls in worker processes, each with one torch thread and, where devices are given, with a device of its own.

    They start as they are needed. A call that exceeds ``timeout`` raises `TimeoutError`; one that exceeds ``memory``, or whose
    worker dies, raises `optiproxy.execution.limits.CallEnded`. In all cases whatever it has started ends with it, and a new worker
    takes the place. Nothing outlives this process, even where that is killed. Functions and arguments are sent by
    cloudpickle, so lambdas and what a script defines will do.

    Args:
        workers: Number of processes, at most.
        timeout: Seconds that one call may take, without the start of its worker; None means forever.
        memory: Bytes that one call may hold, in all processes that it starts; None means all that there is.
        devices: ``"cuda:0"``, ``"cpu"``, given out to the workers in turn. Each sees its own only, which it calls ``"cuda:0"``.

    Raises:
        UsageError: If there is no such device.
    """

    def __init__(
        self, workers: int, *, timeout: float | None = None, memory: int | None = None, devices: Sequence[str] = ()
    ) -> None:
        self._limits = Limits(timeout=timeout, memory=memory)
        self._workers = Workers([{**ONE_THREAD, **visible_to(device)} for device in devices[:workers]] or [ONE_THREAD])
        # Each thread waits for one worker.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="worker")

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Schedule a call.

        Raises:
            UsageError: If the function or an argument cannot be sent to another process.
        """
        return self._threads.submit(self._run, pickled(fn, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the interface
        """End the workers: after their work, or at once where futures are cancelled."""
        self._threads.shutdown(wait=wait and not cancel_futures, cancel_futures=cancel_futures)
        if wait or cancel_futures:
            self._workers.end()
            self._threads.shutdown(wait=wait)

    def _run(self, call: bytes) -> Any:  # noqa: ANN401 - whatever the function returns
        return answered(self._workers.run(call, self._limits))


def pickled(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> bytes:
    """A call as it is sent to a worker.

    Raises:
        UsageError: If the function or an argument cannot be sent to another process.
    """
    try:
        return cloudpickle.dumps((fn, args, kwargs))
    # Objects refuse in many ways: TypeError, PicklingError, AttributeError, their own.
    except Exception as error:
        raise UsageError(
            f"Cannot send the evaluation to a worker process ({one_line(error)}). Open files, locks and devices "
            "inside the function, or use one worker and no timeout."
        ) from error


def answered(answer: bytes) -> Any:  # noqa: ANN401 - whatever the function returns
    """What a call has returned; raises what it has raised."""
    # From a worker of our own, which runs what the user has written, as this process does.
    value, error = cloudpickle.loads(answer)
    if error is not None:
        raise error
    return value


def end_with_parent() -> None:
    """End this process as soon as its parent has ended, even where the parent was killed. Called once, at its start."""
    threading.Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # a hanging evaluation would not let the process exit otherwise
