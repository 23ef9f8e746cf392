"""How much memory a piece of work takes on top of what the process already holds."""

from __future__ import annotations

import ctypes
import gc
import threading
from types import TracebackType
from typing import Self

import psutil

INTERVAL = 0.005
"""Seconds between two readings."""

CENSUS = 50
"""Readings between two looks for processes that were started: a look goes through all processes of the machine."""


class PeakMemory:
    """Reads the resident memory of the process and of those that it has started all along a ``with`` block.

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
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._start = self._peak = 0

    def __enter__(self) -> Self:
        _give_back()
        self._meet()
        self._start = self._peak = self._resident()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._meet()
        self._peak = max(self._peak, self._resident())

    @property
    def mb(self) -> float:
        return (self._peak - self._start) / 1e6

    def _watch(self) -> None:
        readings = 0
        while not self._done.wait(INTERVAL):
            readings += 1
            if readings % CENSUS == 0:
                self._meet()
            self._peak = max(self._peak, self._resident())

    def _meet(self) -> None:
        self._family = [self._process, *self._process.children(recursive=True)]

    def _resident(self) -> int:
        return sum(map(_own, self._family))


def _own(process: psutil.Process) -> int:
    """Resident bytes that no file backs; 0 for a process that has ended."""
    try:
        memory = process.memory_info()
    except psutil.NoSuchProcess:
        return 0
    return int(memory.rss) - int(getattr(memory, "shared", 0))


def _give_back() -> None:
    gc.collect()
    # Only the GNU C library has this; elsewhere freed memory may hide a part of what is used next.
    trim = getattr(ctypes.pythonapi, "malloc_trim", None)
    if trim is not None:
        trim(0)
