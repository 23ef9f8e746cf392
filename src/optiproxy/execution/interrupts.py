"""Ctrl-C and SIGTERM, which may come at any time, and are heard where nothing can be torn apart or lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, final

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@final
class Interrupts:
    """While entered, both signals wait until `check`, or raise `KeyboardInterrupt` at once in a block of `heard`.

    So a record is not torn apart. Nor is a signal lost, as it is where its exception comes up in a destructor, which the
    storage has many of: Python prints such exceptions and goes on. One that is lost within `heard` is raised again at its end.

    Only the main thread can set handlers; entered in another one, this changes nothing. A signal that the process was
    started to ignore stays ignored.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._hearing = False
        self._came = False

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = signal.getsignal(number)
                # None: set by something that is not Python, and could not be put back.
                if before is not None and before != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()

    @contextmanager
    def heard(self) -> Generator[None]:
        """Where an evaluation runs or is waited for: interrupt it."""
        self.check()
        self._hearing = True
        try:
            yield
        finally:
            self._hearing = False
        self.check()

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if a signal has come."""
        if self._came:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - what `signal` calls
        # Kept in any case: where the exception below is swallowed, `check` raises it again.
        self._came = True
        if self._hearing:
            raise KeyboardInterrupt
