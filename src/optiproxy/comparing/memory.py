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


class PeakMemory:
    """Reads the process's resident memory all along a ``with`` block.

    Memory that is backed by files (the code of libraries, paged in when first called) is left out where the system
    tells it apart: it is the imported libraries' and not the search's. Memory that was freed before the block is given
    back to the system first, so that using it again counts.

    Attributes:
        mb: The highest reading minus the one on entry, in MB (10^6 bytes); 0 until the block has begun.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._start = self._peak = 0

    def __enter__(self) -> Self:
        _give_back()
        self._start = self._peak = self._resident()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._peak = max(self._peak, self._resident())

    @property
    def mb(self) -> float:
        return (self._peak - self._start) / 1e6

    def _watch(self) -> None:
        while not self._done.wait(INTERVAL):
            self._peak = max(self._peak, self._resident())

    def _resident(self) -> int:
        memory = self._process.memory_info()
        return int(memory.rss) - int(getattr(memory, "shared", 0))


def _give_back() -> None:
    gc.collect()
    # Only the GNU C library has this; elsewhere freed memory may hide a part of what is used next.
    trim = getattr(ctypes.pythonapi, "malloc_trim", None)
    if trim is not None:
        trim(0)
