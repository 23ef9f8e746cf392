"""Processes and all that they start in turn: known by a mark in their environment, measured, and ended together.

A training may start processes that start others, leave its session or lose their parent. What all of them inherit is the
environment. Run as a program with a mark, this module waits until whoever has started it ends, be it by SIGKILL, and ends
what carries the mark.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import final

import psutil

MARK = "OPTIPROXY_MARK"
"""The environment variable that holds the mark: a path, so that what a training marks in turn carries its mark, too."""

GRACE = 3.0
"""Seconds from SIGTERM to SIGKILL: to write a checkpoint, or to remove what is shared."""

LONGEST = 15.0
"""Seconds after which a process is given up that not even SIGKILL ends, as where it hangs in a driver."""

PAUSE = 0.02
"""Seconds between two looks at what is left."""


def new_mark(within: str = "") -> str:
    """A mark of its own, part of another one, or of the one that this process carries itself."""
    return f"{within or os.environ.get(MARK, '')}{uuid.uuid4().hex}/"


def marked(mark: str) -> set[psutil.Process]:
    """The processes of this machine that carry a mark, and what has descended from these; without this one."""
    found: set[psutil.Process] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # it is gone, or another user's
            if process.environ().get(MARK, "").startswith(mark):
                # Who has emptied its environment is still found by its parents.
                found |= {process, *process.children(recursive=True)}
    return found - {psutil.Process()}


def end(mark: str) -> None:
    """End all processes of this machine that carry a mark, and return when there are none."""
    told: set[psutil.Process] = set()
    start = time.monotonic()
    while (found := marked(mark)) and (passed := time.monotonic() - start) < LONGEST:
        for process in found:
            with suppress(psutil.Error):
                if passed > GRACE:
                    process.kill()
                elif process not in told:
                    process.terminate()
        told |= found
        time.sleep(PAUSE)


def exceeds(pid: int, memory: int) -> bool:
    """Whether a process and its descendants hold more bytes than that; what they share counts once where the system tells."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:  # it has ended
        return False
    # Forked workers of a data loader share most of what they hold. To look at that takes long, so it is looked at last.
    return sum(map(_resident, processes)) > memory and sum(map(_own, processes)) > memory


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _own(process: psutil.Process) -> int:
    """Bytes of a process, of which each is divided among those who share it: on Linux alone."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return _resident(process)
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def memory_kills() -> int:
    """How many processes the system has killed for want of memory since it started; 0 where it does not say."""
    try:
        counters = Path("/proc/vmstat").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(counters[counters.index("oom_kill") + 1]) if "oom_kill" in counters else 0


_STARTING = threading.Lock()
"""Held while a process starts: what it inherits is the environment of this one, which is changed for the moment."""


@final
class Group:
    """The processes that are started in one place, and end together: when asked to, or with this process.

    Args:
        mark: What this group is a part of; empty for none.

    Attributes:
        mark: What all processes of the group have to carry.
    """

    def __init__(self, mark: str = "") -> None:
        self.mark = new_mark(mark)
        self._guard: subprocess.Popen[bytes] | None = None
        self._ended = False

    @contextmanager
    def starting(self) -> Generator[None]:
        """Where a process of the group is started, one at a time.

        Raises:
            RuntimeError: If the group has been ended.
        """
        with _STARTING:
            if self._ended:
                raise RuntimeError("its processes have been ended")
            if self._guard is None:
                self._guard = _guard(self.mark)
                # An interpreter that exits waits for its child processes, and they for work.
                atexit.register(self.end)
            yield

    def end(self) -> None:
        """End all processes; none can be started any more."""
        with _STARTING:
            self._ended = True
        if self._guard is not None:
            end(self.mark)
            self._guard.communicate()
            atexit.unregister(self.end)


def _guard(mark: str) -> subprocess.Popen[bytes]:
    # It carries the mark, so that it ends with the others; and finds what this process has found, wherever the script has
    # looked for it.
    environment = {**os.environ, MARK: mark, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(  # noqa: S603 - this file, by this interpreter
        [sys.executable, "-P", "-m", __name__, mark],
        env=environment,
        stdin=subprocess.PIPE,
        start_new_session=True,  # so that neither Ctrl-C nor the end of a terminal ends it first
    )


if __name__ == "__main__":
    # As an orphan: what ends a process together with its children, such as a worker of Ray, would end its guard first.
    if hasattr(os, "fork") and os.fork():
        os._exit(0)
    sys.stdin.buffer.read()
    end(sys.argv[1])
