"""Which process works on a trial, so that a trial whose process was killed can be told from one that runs elsewhere."""

from __future__ import annotations

import os
import platform
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import psutil

from optiproxy.storage.heartbeat import SILENCE


@dataclass(frozen=True)
class Owner:
    """One search at work in one process.

    Attributes:
        host: Where; of other hosts no process can be looked at.
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
    if owner.get("host") != platform.node():
        return time.time() - seen > SILENCE
    pid, created = owner.get("pid"), owner.get("created")
    if not isinstance(pid, int) or not isinstance(created, int | float):
        return False
    try:
        process = psutil.Process(pid)
        # The clock that both were read from may be corrected in between, by far less than an id takes to come again.
        return abs(process.create_time() - created) > 5 or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
