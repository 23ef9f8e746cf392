"""Where evaluations run: in this process, or in worker processes that may crash, hang and be killed."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, ParamSpec, TypeVar, final

import cloudpickle
from pebble import ProcessPool

from optiproxy.errors import UsageError
from optiproxy.execution.devices import visible_to
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

    A call that exceeds ``timeout`` is killed with its worker and raises `TimeoutError`; one whose worker dies raises
    `pebble.ProcessExpired`. In both cases a new worker takes the place. Workers end when this process does, even where
    it is killed. Functions and arguments are sent by cloudpickle, so lambdas and what a script defines will do.

    Args:
        workers: Number of processes.
        timeout: Seconds that one call may take, without the start of its worker; None means forever.
        devices: ``"cuda:0"``, ``"cpu"``, given out to the workers in turn. Each sees its own only, which it calls ``"cuda:0"``.

    Raises:
        UsageError: If there is no such device.
    """

    def __init__(self, workers: int, *, timeout: float | None = None, devices: Sequence[str] = ()) -> None:
        self._timeout = timeout
        environments = [visible_to(device) for device in devices] or [{}]
        # A pool for each device: a worker that takes the place of a dead one has its device, too.
        self._pools = [
            _Pool(len(range(first, workers, len(environments))), {**_ONE_THREAD, **environment})
            for first, environment in enumerate(environments[:workers])
        ]

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
        return min(self._pools, key=_Pool.load).schedule(call, timeout=self._timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the interface
        """End the workers: after their work, or at once where futures are cancelled."""
        for pool in self._pools:
            if cancel_futures:
                pool.processes.stop()
            else:
                pool.processes.close()
        if wait:
            for pool in self._pools:
                pool.processes.join()


@final
class _Pool:
    """Workers that start with the same environment, and what they have to do."""

    def __init__(self, workers: int, environment: Mapping[str, str]) -> None:
        # Spawned, not forked: torch and its threads do not survive a fork.
        context = SpawnContext()
        context.Process = partial(_Worker, environment)  # pyright: ignore[reportAttributeAccessIssue] - makes processes, too
        self.processes = ProcessPool(max_workers=workers, initializer=_start_worker, context=context)
        self._workers = workers
        self._calls: list[Future[Any]] = []

    def load(self) -> float:
        """Unfinished calls for each worker."""
        self._calls = [call for call in self._calls if not call.done()]
        return len(self._calls) / self._workers

    def schedule(self, call: bytes, *, timeout: float | None) -> Future[Any]:
        self._calls.append(self.processes.schedule(_call, args=(call,), timeout=timeout))
        return self._calls[-1]


class _Worker(SpawnProcess):
    """A process that has its environment from the start, before the user's script is imported there.

    CUDA reads what is visible once, at the first question whether it is available, which scripts like to ask when imported.
    """

    def __init__(self, environment: Mapping[str, str], **arguments: Any) -> None:  # noqa: ANN401 - those of a process
        super().__init__(**arguments)
        self._environment = environment

    def start(self) -> None:
        # A process inherits what its parent has at this moment. Pools start theirs in threads of their own.
        with _STARTING:
            before = {name: os.environ.get(name) for name in self._environment}
            os.environ.update(self._environment)
            try:
                super().start()
            finally:
                for name, value in before.items():
                    if value is None:
                        del os.environ[name]
                    else:
                        os.environ[name] = value


_STARTING = threading.Lock()

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""For every library that counts cores."""


def _call(call: bytes) -> Any:  # noqa: ANN401 - whatever the function returns
    # Unpickled here and not by the pool, so that what cannot be imported in a worker is this call's failure alone.
    # It comes from our own parent process, through a pipe.
    fn, args, kwargs = cloudpickle.loads(call)
    return fn(*args, **kwargs)


def _start_worker() -> None:
    """One thread, whatever the script has asked for, and an end with the parent."""
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
