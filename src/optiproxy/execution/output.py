"""What a training prints: shown as ever, and the end of it kept."""

from __future__ import annotations

import io
import sys
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TextIO, final

from optiproxy.task.values import MOST_TEXT


@final
class _Tee(io.TextIOBase):
    """Passes on what is written and keeps the last `MOST_TEXT` characters of it, together with another such stream."""

    def __init__(self, stream: TextIO, kept: deque[str]) -> None:
        self._stream = stream
        self._kept = kept

    def write(self, text: str, /) -> int:
        self._kept.append(text[-MOST_TEXT:])
        if len(self._kept) > 1000:
            joined = "".join(self._kept)[-MOST_TEXT:]
            self._kept.clear()
            self._kept.append(joined)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what streams have beside: buffer, reconfigure
        return getattr(self._stream, name)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - a property of text streams
        return self._stream.encoding


@contextmanager
def kept_output() -> Generator[deque[str]]:
    """Keep the end of what Python code prints within; joined, at most a little more than `MOST_TEXT` characters.

    Only in the main thread of a process: streams belong to the whole process, and threads would read each other's.
    """
    kept: deque[str] = deque()
    if threading.current_thread() is not threading.main_thread():
        yield kept
        return
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Tee(out, kept), _Tee(err, kept)
    try:
        yield kept
    finally:
        sys.stdout, sys.stderr = out, err
