"""One run of the grid in a process of its own, and how much memory it takes there.

A fresh process for every run: each pays for its own pretraining, none inherits another's memory, and one that is killed takes
nothing else along.
"""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from optiproxy.comparison.grid import Run, TaskSetting
from optiproxy.comparison.results import RunResult
from optiproxy.errors import StudyError
from optiproxy.execution.executors import end_with_parent
from optiproxy.registry import OwnTask
from optiproxy.searching.settings import SearchSettings

INTERVAL = 0.005
"""Seconds between two readings."""

CHILDREN_EVERY = 50
"""Readings between two searches for new children: each goes through all processes of the machine."""


def search_once(
    run: Run, setting: TaskSetting, settings: SearchSettings, *, path: Path, own: OwnTask | None = None
) -> bool:
    """Search with one torch thread and save the result at ``path``.

    Args:
        run: Says which task, algorithm and seed.
        setting: What the comparison has announced of the task.
        settings: Those of every run; algorithm and seed are the run's.
        path: File of the result.
        own: What the task is made of, where its name alone does not say it.

    Returns:
        Whether it came to its end. Of a search that was interrupted nothing is kept: it is no search of this budget.

    Raises:
        StudyError: If the task is not what the comparison has announced: its data was replaced meanwhile.
        OptiProxyError: Whatever `optiproxy.searching.run.run` raises.
    """
    import torch

    from optiproxy import registry
    from optiproxy.execution.executors import InlineExecutor
    from optiproxy.searching.run import run as search

    # One thread for every algorithm, or their seconds would not compare.
    torch.set_num_threads(1)
    # Loaded again in this process, and compared with what was announced: the data may have been replaced.
    task = registry.task(own or run.task)
    if TaskSetting.of(task, settings) != setting:
        raise StudyError(
            f"The data of {run.task} has changed since the comparison began. Start anew with another --out."
        )
    _first_calls()
    # This process is the isolation: the evaluations run right here.
    executor = InlineExecutor()
    with PeakMemory() as memory:
        result = search(task, replace(settings, algorithm=run.algorithm, seed=run.seed), executor=executor)
    finished = result.stopped not in ("interrupted", "elsewhere")
    if finished:
        RunResult.of(run, result, overhead_mb=memory.mb).save(path)
    return finished


def _first_calls() -> None:
    """Make torch set up its gradient engine and its linear algebra, whose 8 MB belong to the library and not to the search."""
    import torch

    matrix = torch.eye(64, requires_grad=True)
    torch.autograd.grad((matrix @ matrix).sum(), matrix)
    torch.linalg.cholesky(torch.eye(3, dtype=torch.double))


def prepare(environment: Mapping[str, str]) -> None:
    """Called first in each process: see the caller's environment, and end with the caller.

    Processes are forked from a server that has kept the environment of its own start. A comparison that is killed
    leaves no search behind.
    """
    os.environ.clear()
    os.environ.update(environment)
    end_with_parent()


class PeakMemory:
    """Watches the resident memory of this process and of those that it has started, all along a ``with`` block.

    Memory that is backed by files (the code of libraries, paged in when first called) is left out where the system
    tells it apart: it is the imported libraries' and not the search's. Memory that was freed before the block is given
    back to the system first, so that using it again counts. Of a process that is started within the block, everything
    counts, since nothing of it was there before.

    Attributes:
        mb: The highest reading minus the one on entry, in MB (10^6 bytes); 0 until the block has begun.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._family = [self._process]
        self._done = threading.Event()
        # A daemon, so that a search that fails does not wait for its own watcher.
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._start = self._peak = 0

    def __enter__(self) -> Self:
        _return_freed_memory()
        self._find_children()
        self._start = self._peak = self._resident()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What was allocated after the last reading is seen by one more.
        self._done.set()
        self._thread.join()
        self._find_children()
        self._peak = max(self._peak, self._resident())

    @property
    def mb(self) -> float:
        return (self._peak - self._start) / 1e6

    def _watch(self) -> None:
        readings = 0
        while not self._done.wait(INTERVAL):
            readings += 1
            if readings % CHILDREN_EVERY == 0:
                self._find_children()
            self._peak = max(self._peak, self._resident())

    def _find_children(self) -> None:
        self._family = [self._process, *self._process.children(recursive=True)]

    def _resident(self) -> int:
        return sum(map(_anonymous_bytes, self._family))


def _anonymous_bytes(process: psutil.Process) -> int:
    """Resident bytes that no file backs; 0 for a process that has ended."""
    try:
        memory = process.memory_info()
    except psutil.NoSuchProcess:
        return 0
    # On Linux, pages that a file backs are counted as shared: mostly the code of libraries.
    return int(memory.rss) - int(getattr(memory, "shared", 0))


def _return_freed_memory() -> None:
    gc.collect()
    # Only the GNU C library has this; elsewhere freed memory may hide a part of what is used next.
    trim = getattr(ctypes.pythonapi, "malloc_trim", None)
    if trim is not None:
        trim(0)
