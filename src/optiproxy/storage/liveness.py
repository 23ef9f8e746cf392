"""Who works on a query, and whether it still lives: so that a query whose process was killed is not waited for."""

from __future__ import annotations

import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field

import psutil

INTERVAL = 60.0
"""Seconds between two signs of life."""

SILENCE = 1800.0
"""Seconds without one after which a search on another host is taken for dead; the hosts' clocks differ by far less."""


@dataclass(frozen=True)
class Owner:
    """One search at work in one process.

    Attributes:
        host: Where it runs; the processes of other hosts cannot be looked at.
        pid: Process id, which the system uses again after a while.
        created: When that process began, in seconds since 1970; tells it from a later one of the same id.
        run: Tells several searches in one process apart.
    """

    host: str = field(default_factory=platform.node)
    pid: int = field(default_factory=os.getpid)
    created: float = field(default_factory=lambda: psutil.Process().create_time())
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def to_json(self) -> dict[str, str | int | float]:
        """As stored beside the trial."""
        return asdict(self)


def is_gone(owner: Mapping[str, object], *, seen: float) -> bool:
    """Whether the process that stored this `Owner` has ended.

    Args:
        owner: What it stored.
        seen: Its last sign of life, in seconds since 1970; counts for a process on another host.
    """
    # Process ids say nothing across hosts.
    if owner.get("host") != platform.node():
        return time.time() - seen > SILENCE
    pid, created = owner.get("pid"), owner.get("created")
    if not isinstance(pid, int) or not isinstance(created, int | float):
        return False  # written by hand or by another version: rather wait than train twice
    try:
        process = psutil.Process(pid)
        # The clock that both were read from may be corrected in between, by far less than an id takes to come again.
        return abs(process.create_time() - created) > 5 or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False  # another user's process, so it runs


@contextmanager
def heartbeat(beat: Callable[[], None]) -> Generator[None]:
    """Call ``beat`` again and again while the block runs: from a thread, because an evaluation may keep this one busy."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(INTERVAL):
            # A trial may finish in between and a database be locked; the next sign comes soon, and many may be missed.
            with suppress(Exception):
                beat()

    thread = threading.Thread(target=work, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
