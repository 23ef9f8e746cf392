"""The errors that a user can meet, named by what to do next.

    OptiProxyError
    ├── UsageError     what was asked cannot be done: change the call          (exit code 2)
    ├── DataError      a data file is missing or wrong: fetch or replace it    (exit code 2)
    ├── PackageError   an algorithm's package is missing or failed: build it   (exit code 2)
    ├── DeviceError    a measuring device or its command failed: mend it       (exit code 2)
    ├── ExportError    a network cannot be written that way: choose another    (exit code 2)
    ├── StudyError     the stored study does not fit this search: use another  (exit code 2)
    └── SearchFailed   the search ran and found nothing usable                 (exit code 1)

Every message is one or two plain sentences: what was expected, what arrived, what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class OptiProxyError(Exception):
    """Base of all errors that optiproxy raises on purpose."""

    exit_code = 2

    def __str__(self) -> str:
        return printable(super().__str__())


class UsageError(OptiProxyError, ValueError):
    """The arguments do not make sense; the message says what would."""


class DataError(OptiProxyError):
    """Benchmark data is missing, damaged or not what its digest promises."""


class PackageError(OptiProxyError):
    """The package that an algorithm comes from is not there, or its process has failed."""


class DeviceError(OptiProxyError):
    """A device that measures networks does not answer, or its command gives no measurement."""


class ExportError(OptiProxyError):
    """A network cannot be written in a format, or what was written does not answer like it."""


class StudyError(OptiProxyError):
    """A stored study cannot be read, written or continued by this search."""


class SearchFailed(OptiProxyError):
    """A search has no feasible architecture to show, or cannot get to one by going on."""

    exit_code = 1


def printable(text: str) -> str:
    """A text as a terminal may show it: what would steer the terminal is written as an escape, but for line ends and tabs.

    Names and messages come from studies and trainings of anybody, and a control character in them could forge what is shown.
    """
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The one phrasing for a name that is not in a list.

    Args:
        kind: What the name should have been, for example ``"task"``.
        name: What arrived.
        known: Every name that would have been accepted.
    """
    options = sorted(known)
    hint = nearest(name, options) or f"Choose from: {', '.join(options)}."
    return UsageError(f"Unknown {kind} {name!r}. {hint}")


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """A question with the name that was probably meant; empty where none is near.

    Args:
        name: What arrived.
        known: Every name that would have been accepted.
        likeness: Least likeness to ask for, from 0 to 1 (`difflib`).
    """
    near = get_close_matches(name, [*known], n=1, cutoff=likeness)
    return f"Did you mean {near[0]!r}?" if near else ""
