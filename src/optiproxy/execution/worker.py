"""A worker process that runs calls one after the other, and everything that keeps it from doing so."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, MutableMapping, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from multiprocessing import Pipe, current_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, TypeVar, final

import cloudpickle

from optiproxy.execution.limits import CallEnded, Limits, in_words
from optiproxy.execution.trees import GRACE, MARK, Group, end, exceeds, memory_kills, new_mark
from optiproxy.task.values import one_line

T = TypeVar("T")

TICK = 0.5
"""Seconds between two looks at a call that runs: at its memory, and whether its process lives where others hold its pipes."""

ONE_THREAD: Mapping[str, str] = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""For every library that counts cores."""


@final
class Workers:
    """Worker processes, as many as there are calls at a time.

    One that is free takes the next call; one that has ended, idle or in the midst of a call, is replaced.

    Args:
        environments: Given out in turn: environment variables of a worker, beside those of this process.
        mark: What all of them and what they start are to carry as part of their mark.
    """

    def __init__(self, environments: Sequence[Mapping[str, str]] = ({},), *, mark: str = "") -> None:
        self._group = Group(mark)
        self._environments = environments
        self._lock = threading.Lock()
        self._idle: list[list[_Worker]] = [[] for _ in environments]
        self._busy: Counter[int] = Counter()
        self._begun = False

    def run(self, call: bytes, limits: Limits) -> bytes:
        """Run a call; several threads may do so.

        Args:
            call: Function, positional and named arguments, by cloudpickle.
            limits: What it may take.

        Returns:
            Value and exception of the call, by cloudpickle. One of them is None.

        Raises:
            TimeoutError: If it has taken too long.
            CallEnded: If its process has ended, or held too much memory.
            BrokenExecutor: If no worker has ever begun a call.
        """
        with self._worker() as worker:
            try:
                worker.hand_over(call)
            except _CannotStartError as error:
                told = f"The worker process {error} before it could start working."
                raise CallEnded(told, kind="start") if self._begun else BrokenExecutor(told) from error
            self._begun = True
            return worker.answer(limits)

    def end(self) -> None:
        """End all processes and what they have started, at once; calls that run raise `CallEnded`."""
        self._group.end()
        for idle in self._idle:
            for worker in idle:
                worker.end()

    @contextmanager
    def _worker(self) -> Generator[_Worker]:
        with self._lock:
            # The environment that serves the fewest calls, and there a worker that has started already.
            chosen = min(range(len(self._environments)), key=lambda i: (self._busy[i], not self._idle[i]))
            self._busy[chosen] += 1
            idle = self._idle[chosen]
            worker = idle.pop() if idle else _Worker(self._group, self._environments[chosen])
        try:
            yield worker
        finally:
            with self._lock:
                self._busy[chosen] -= 1
                idle.append(worker)


class _CannotStartError(Exception):
    """A fresh process has ended before it took a call; the message says how."""


@final
class _Worker:
    """One process, which is started when there is something to do."""

    def __init__(self, group: Group, environment: Mapping[str, str]) -> None:
        self._group = group
        self._environment = environment
        self._process: _Process | None = None
        self._pipe: Connection
        self._mark = ""

    def hand_over(self, call: bytes) -> None:
        """Give a call to the process, which has begun it when this returns.

        What a process has not begun did not end it: another process gets it.

        Raises:
            _CannotStartError: If no process begins it.
        """
        for last in (False, True):
            if self._process is None:
                self._start()
            try:
                self._pipe.send_bytes(call)
                self._receive()
            except (OSError, EOFError):
                told = _told(self.end())
                if last:
                    raise _CannotStartError(told) from None
            else:
                break

    def answer(self, limits: Limits) -> bytes:
        """Wait for what the call returns or raises, as `Workers.run` tells it."""
        start, kills = time.monotonic(), memory_kills()
        try:
            return self._receive(lambda: self._check(limits, time.monotonic() - start))
        except (EOFError, ConnectionError):
            seconds, code = time.monotonic() - start, self.end()
            if code == -signal.SIGKILL and memory_kills() > kills:
                told, kind = "The system ran out of memory and killed the worker process.", "memory"
            else:
                told, kind = f"The worker process {_told(code)}.", f"exit {code}"
            raise CallEnded(told, kind=kind, seconds=seconds) from None
        except BaseException:
            self.end()
            raise

    def _check(self, limits: Limits, seconds: float) -> float:
        """Raise what `Workers.run` raises if a call has taken too much; returns how many seconds it may be left alone."""
        assert self._process is not None
        if limits.memory is not None and exceeds(self._process.pid or 0, limits.memory):
            used = f"Stopped, because it used more than {in_words(limits.memory)} of memory."
            raise CallEnded(used, kind="memory", seconds=seconds)
        if limits.timeout is None:
            return TICK
        if seconds >= limits.timeout:
            raise TimeoutError("Stopped at the timeout.", limits.timeout)
        return min(TICK, limits.timeout - seconds)

    def _receive(self, check: Callable[[], float] = lambda: TICK) -> bytes:
        """The next message of the process.

        Args:
            check: Says how many seconds to wait until it is asked again; raises to wait no longer.

        Raises:
            EOFError, ConnectionError: If the process has ended.
        """
        assert self._process is not None
        while not wait([self._pipe, self._process.sentinel], check()):
            # What it has forked holds both open when it has ended itself.
            if self._process.exitcode is not None:
                break
        # It may have ended right after a message.
        if not self._pipe.poll():
            raise EOFError
        return self._pipe.recv_bytes()

    def _start(self) -> None:
        ours, theirs = Pipe()
        self._mark = new_mark(self._group.mark)
        process = _Process({**self._environment, MARK: self._mark}, target=_serve, args=(theirs,))
        try:
            with self._group.starting():
                process.start()
        except (OSError, RuntimeError) as error:  # no more processes; or a script that starts them while it is imported
            ours.close()
            raise _CannotStartError(f"could not be started ({one_line(error)})") from error
        finally:
            # Held here, it would not tell when the worker has ended.
            theirs.close()
        self._process, self._pipe = process, ours

    def end(self) -> int | None:
        """End the process and all that it has started; returns its exit code, where it has ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return None
        # Its pipe closes a moment before.
        process.join(0.2)
        code = process.exitcode
        end(self._mark)
        if code is None:
            process.kill()  # where it has overwritten its mark
            process.join(GRACE)
        self._pipe.close()
        return code


@final
class _Process(SpawnProcess):
    """A process that has its environment from the start, before the user's script is imported there.

    It is spawned, not forked: torch and its threads do not survive a fork. CUDA reads what is visible once, at the first question
    whether it is available, which scripts like to ask when imported.
    """

    def __init__(self, environment: Mapping[str, str], **arguments: Any) -> None:  # noqa: ANN401 - those of a process
        super().__init__(daemon=False, **arguments)
        self._environment = environment

    def start(self) -> None:
        # Python's own helper of all processes, started with the first of them: it is none of what this one starts.
        resource_tracker.ensure_running()
        with _for_now(os.environ, self._environment), _for_now(_OURS, {"daemon": False}):
            super().start()


_OURS: dict[str, Any] = current_process()._config  # noqa: SLF001  # type: ignore[attr-defined]
"""Settings of this process. Python lets no daemon start others, as Dask's workers are: they would outlive it. Ours do not."""


@contextmanager
def _for_now(settings: MutableMapping[str, T], values: Mapping[str, T]) -> Generator[None]:
    before = {name: settings[name] for name in values if name in settings}
    settings.update(values)
    try:
        yield
    finally:
        for name in values:
            del settings[name]
        settings.update(before)


def _serve(pipe: Connection) -> None:
    """What a worker process does, until the other end of its pipe is closed."""
    # Ctrl-C is for the search, which ends its workers then.
    if hasattr(os, "setsid"):
        os.setsid()
    # Where memory runs out, the system is to end a training and not the search.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    torch, threads = sys.modules.get("torch"), os.environ.get("OMP_NUM_THREADS", "")
    if torch is not None and threads.isdigit():  # imported already by the user's script, which may have asked for more
        torch.set_num_threads(int(threads))
    with suppress(EOFError, OSError):
        while True:
            call = pipe.recv_bytes()
            pipe.send_bytes(b"begun")
            pipe.send_bytes(_answer(call))


def _answer(call: bytes) -> bytes:
    value = error = None
    try:
        # From our own parent process, through a pipe.
        fn, args, kwargs = cloudpickle.loads(call)
        value = fn(*args, **kwargs)
    except BaseException as raised:  # noqa: BLE001 - whatever a call raises belongs to its future
        error = raised
    try:
        return cloudpickle.dumps((value, error))
    # Objects refuse in many ways: TypeError, PicklingError, AttributeError, their own.
    except Exception as refused:  # noqa: BLE001
        told = (
            f"Cannot send back what it has {'returned' if error is None else 'raised'} ({one_line(error or refused)})."
        )
        return cloudpickle.dumps((None, TypeError(told)))


def _told(code: int | None) -> str:
    if code is None:
        return "closed its connection"
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
