"""A database that goes away for a while is waited for: restarted, locked by another process, out of disk or out of reach."""

from __future__ import annotations

import sqlite3
import sys
import time
import warnings
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar, cast, final

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from optiproxy.errors import StudyError
from optiproxy.execution.interrupts import Interrupts
from optiproxy.storage.backends.secrets import cause, completed, scrubbed, shown

SECONDS = 3600.0
"""How long a storage may be away before a search ends, unless it is told otherwise."""

LONGEST = 5.0
"""Seconds between two attempts, at most."""

_FOR_GOOD = ("readonly", "no such table", "no such column", "does not exist")
"""In messages of a database that has been replaced or shut for writing: waiting would not bring it back."""

_GRPC = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN", "INTERNAL", "RESOURCE_EXHAUSTED")
"""What Optuna's proxy answers with while it, or the database behind it, is away."""

T = TypeVar("T")


class StorageAwayError(StudyError):
    """The storage was away for longer than a search waits; everything that it has stored is there when it comes back."""


class StorageAwayWarning(UserWarning):
    """A search waits for its storage. Said once for each time that the storage is away."""


@final
class Patience:
    """Tries again what a storage that is away has refused, at growing intervals.

    Ctrl-C and SIGTERM end a wait. After one that has ended without the storage nothing is waited for any more: whatever still
    has to be cleared up then is tried once.

    Args:
        seconds: How long the storage may be away.
        storage: Its address.
        interrupts: Hear the signals.
    """

    def __init__(self, seconds: float = SECONDS, storage: str = "", interrupts: Interrupts | None = None) -> None:
        self._seconds = seconds
        self._storage = storage
        self._interrupts = interrupts or Interrupts()
        self._over = False

    def __call__(self, operation: Callable[[], T], *, meanwhile: Callable[[], None] = lambda: None) -> T:
        """Return what the operation returns.

        Args:
            operation: May be called any number of times, also where it has been done and the answer was lost.
            meanwhile: Called once if the storage is away, before anything is waited for.

        Raises:
            StorageAwayError: If it stays away.
            KeyboardInterrupt: If a signal comes during the wait.
        """
        try:
            return operation()
        except Exception as error:
            if not is_outage(error):
                raise
            meanwhile()
            return self._wait(operation, error)

    def _wait(self, operation: Callable[[], T], error: Exception) -> T:
        began = time.monotonic()
        for attempt in count():
            if self._over or time.monotonic() - began >= self._seconds:
                break
            # The first attempt at once: the connections of a server that was restarted are found dead one by one.
            if attempt:
                self._sleep(min(0.1 * 2**attempt, LONGEST))
            try:
                return operation()
            except Exception as again:
                if not is_outage(again):
                    raise
                error = again
            if attempt == 1:
                warnings.warn(
                    f"The storage {shown(self._storage)} is away ({self._reason(error)}). Waiting up to {self._seconds:g} s for it; "
                    "trainings go on, and no result is given up.",
                    StorageAwayWarning,
                    stacklevel=4,
                )
        self._over = True
        raise StorageAwayError(
            f"The storage {shown(self._storage)} has been away for {time.monotonic() - began:.0f} s ({self._reason(error)}). What it has stored "
            "is kept there; make the same call again when it is back."
        ) from cause(error, completed(self._storage))

    def _reason(self, error: BaseException) -> str:
        """What the storage says, on one line, without the statement that it was asked."""
        found = _cause(error)
        return scrubbed(" ".join(str(getattr(found, "orig", None) or found).split())[:300], completed(self._storage))

    def _sleep(self, seconds: float) -> None:
        try:
            with self._interrupts.heard():
                time.sleep(seconds)
        except KeyboardInterrupt:
            self._over = True
            raise


def is_outage(error: BaseException) -> bool:
    """Whether what a storage has raised may pass by itself."""
    found = _cause(error)
    if isinstance(found, OSError | PoolTimeoutError):
        return True
    if is_remote(found):
        return cast("Any", found).code().name in _GRPC
    lost = isinstance(found, DBAPIError) and found.connection_invalidated
    passing = isinstance(found, OperationalError | InterfaceError | InternalError | sqlite3.OperationalError)
    return lost or (passing and not any(sign in str(found) for sign in _FOR_GOOD))


def is_remote(error: BaseException) -> bool:
    """Whether Optuna's gRPC proxy has raised it; whoever uses that has loaded its package."""
    grpc = sys.modules.get("grpc")
    return grpc is not None and isinstance(error, grpc.RpcError)


def _cause(error: BaseException) -> BaseException:
    return error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
