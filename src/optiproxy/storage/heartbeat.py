"""Signs of life from a search, so that other hosts can tell what runs from what has died."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

INTERVAL = 60.0
"""Seconds between two signs of life."""

SILENCE = 1800.0
"""Seconds without one after which a search on another host is taken for dead; the hosts' clocks differ by far less."""


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
