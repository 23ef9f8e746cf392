"""What one call may take, and how a call ends that took more or was ended by something else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import final

from optiproxy.errors import UsageError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one call may take.

    Attributes:
        timeout: Seconds, without the start of its worker; None means forever.
        memory: Bytes that its process and all that it starts may hold; None means all that there is.
    """

    timeout: float | None = None
    memory: int | None = None


@final
class CallEnded(Exception):
    """A call was ended from outside; the message says how, in one sentence.

    Attributes:
        kind: The same for whatever ended in the same way.
        seconds: How long it had run.
    """

    def __init__(self, message: str, *, kind: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.kind = kind
        self.seconds = seconds

    def __reduce__(self) -> tuple[Callable[[], CallEnded], tuple[()]]:
        return partial(CallEnded, str(self), kind=self.kind, seconds=self.seconds), ()


def memory_size(given: float | str) -> int:
    """Bytes that a text like ``"4GB"``, ``"500 MB"`` or ``"1.5GiB"`` names; a number is one of bytes.

    Raises:
        UsageError: If it is none, or not positive.
    """
    told = re.fullmatch(r"(\d+\.?\d*)\s*([kmgt]i?)?b?", str(given).strip(), re.IGNORECASE | re.ASCII)
    size = int(float(told[1]) * _UNITS[(told[2] or "").lower()]) if told and not isinstance(given, bool) else 0
    if size <= 0:
        raise UsageError(f"Expected an amount of memory like '4GB' or '500MB', got {given!r}.")
    return size


def in_words(size: int) -> str:
    """A number of bytes as people say it: ``4 GB``."""
    unit, factor = next(((u, f) for u, f in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)) if size >= f), ("kB", 10**3))
    return f"{size / factor:.3g} {unit}"
