"""Who works on a query, and whether it still lives: so that a query whose process was killed is not waited for."""

from __future__ import annotations

import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, final

import psutil

INTERVAL = 20.0
"""Seconds between two signs of life."""

SILENCE = 90.0
"""Seconds without one after which a search that cannot be looked at is taken for dead. Earlier versions give one a minute."""

Verdict = Literal["alive", "gone", "unknown"]


@lru_cache(maxsize=1)
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # no Linux
        return ""


@dataclass(frozen=True)
class Owner:
    """One search at work in one process.

    Attributes:
        host: Where it runs; the processes of other hosts cannot be looked at.
        machine: Which boot of which kernel, and which space of process ids: containers may have one host name and not see
            each other. Empty where a system has neither, and in older studies.
        pid: Process id, which the system uses again after a while.
        created: When that process began, in seconds since 1970; tells it from a later one of the same id.
        run: Tells several searches in one process apart.
    """

    host: str = field(default_factory=platform.node)
    machine: str = field(default_factory=_machine)
    pid: int = field(default_factory=os.getpid)
    created: float = field(default_factory=lambda: psutil.Process().create_time())
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def to_json(self) -> dict[str, str | int | float]:
        """As stored beside the trial."""
        return asdict(self)


def looked_at(owner: Mapping[str, object]) -> Verdict:
    """Whether the process that stored this `Owner` lives, as far as that can be seen from here."""
    # Process ids say nothing across hosts and containers.
    if owner.get("host") != platform.node() or owner.get("machine", _machine()) != _machine():
        return "unknown"
    pid, created = owner.get("pid"), owner.get("created")
    if not isinstance(pid, int) or not isinstance(created, int | float):
        return "alive"  # written by hand or by another version: rather wait than train twice
    try:
        process = psutil.Process(pid)
        # The clock that both were read from may be corrected in between, by far less than an id takes to come again.
        gone = abs(process.create_time() - created) > 5 or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        gone = True
    except psutil.AccessDenied:
        gone = False  # another user's process, so it runs
    return "gone" if gone else "alive"


@dataclass(frozen=True)
class _Sign:
    seen: object
    since: float
    looked: float
    alive: bool = False


@final
class Signs:
    """The signs of life of searches that cannot be looked at, as they change while this one watches.

    Clocks of two hosts differ, and each may be set at any time. So it does not count what time a sign tells, but whether another
    one comes within `SILENCE` by the own clock, which only goes forward.
    """

    def __init__(self) -> None:
        self._watched: dict[int, _Sign] = {}

    def verdict(self, trial: int, seen: object) -> Verdict:
        """What is known of the owner of a trial; asked again and again where that is nothing.

        Args:
            trial: Its number.
            seen: The last sign, as it was read now.
        """
        now = time.monotonic()
        known = self._watched.get(trial)
        if known is None or now - known.looked > INTERVAL:
            # Nobody has watched since: the storage may have been away, for the other one as well.
            known = _Sign(seen, now, now, alive=known is not None and known.seen != seen)
        elif known.seen != seen:
            known = _Sign(seen, now, now, alive=True)
        else:
            known = replace(known, looked=now)
        self._watched[trial] = known
        if now - known.since >= SILENCE:
            return "gone"
        return "alive" if known.alive else "unknown"


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
