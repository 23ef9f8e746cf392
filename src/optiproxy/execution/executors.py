"""Where evaluations run: in this process, or in worker processes that may crash, hang and be killed."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar, final

import cloudpickle
from pebble import ProcessPool

from optiproxy.errors import UsageError
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
    """Runs calls in worker processes, each with one torch thread.

    A call that exceeds ``timeout`` is killed with its worker and raises `TimeoutError`; one whose worker dies raises
    `pebble.ProcessExpired`. In both cases a new worker takes the place. Workers end when this process does, even where
    it is killed. Functions and arguments are sent by cloudpickle, so lambdas and what a script defines will do.

    Args:
        workers: Number of processes.
        timeout: Seconds that one call may take, without the start of its worker; None means forever.
    """

    def __init__(self, workers: int, *, timeout: float | None = None) -> None:
        self._timeout = timeout
        # Spawned, not forked: torch and its threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPool(max_workers=workers, initializer=_start_worker, context=context)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Schedule a call.

        Raises:
            UsageError: If the function or an argument cannot be sent to another process.
        """
        try:
            call = cloudpickle.dumps((fn, args, kwargs))
        # Objects refuse in many ways: TypeError, PicklingError, AttributeError, their own.
        except Exception as error:
            raise UsageError(
                f"Cannot send the evaluation to a worker process ({one_line(error)}). Open files, locks and devices "
                "inside the function, or use one worker and no timeout."
            ) from error
        return self._pool.schedule(_call, args=(call,), timeout=self._timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the interface
        """End the workers: after their work, or at once where futures are cancelled."""
        if cancel_futures:
            self._pool.stop()
        else:
            self._pool.close()
        if wait:
            self._pool.join()


def _call(call: bytes) -> Any:  # noqa: ANN401 - whatever the function returns
    # Unpickled here and not by the pool, so that what cannot be imported in a worker is this call's failure alone.
    # It comes from our own parent process, through a pipe.
    fn, args, kwargs = cloudpickle.loads(call)
    return fn(*args, **kwargs)


def _start_worker() -> None:
    """One thread for every library that counts cores, and an end with the parent."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"
    torch = sys.modules.get("torch")  # imported already where the user's script does so
    if torch is not None:
        torch.set_num_threads(1)
    end_with_parent()


def end_with_parent() -> None:
    """End this process as soon as its parent has ended, even where the parent was killed. Called once, at its start."""
    threading.Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # a hanging evaluation would not let the process exit otherwise
